package main

import (
	"fmt"

	"parallax/internal/desk"
	"parallax/internal/fault"
	"parallax/opening"
)

type verifyCmd struct {
	Receipt string `arg:"" type:"existingfile" help:"A receipt file that 'parallax desk receipts' saved."`
	Pin     string `help:"The transcript hash that the key holders published; without it the hash is only shown."`
	JSON    bool   `help:"Print JSON."`
}

// Run verifies offline and says what was shown.
func (c *verifyCmd) Run(std streams) error {
	var pin opening.Hash
	if c.Pin != "" {
		if err := pin.UnmarshalText([]byte(c.Pin)); err != nil {
			return fault.Wrap(fault.Invalid, "--pin: "+err.Error(), err)
		}
	}
	v, err := desk.VerifyReceipt(c.Receipt, pin)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(std.out, v)
	}
	fmt.Fprintf(std.out, "Verified. The batch %s of %s with %d observations, promised on %s,\nis entry %d of the witnessed log of %d entries of pool %s.\n",
		v.Root, v.Org, v.Count, v.Promised.Format("2006-01-02 15:04 UTC"), v.Leaf+1, v.LogSize, v.Pool)
	if !v.Pinned {
		fmt.Fprintf(std.out, "This rests on the key ceremony with transcript hash\n%s\nCompare it with what the key holders published, or give it as --pin.\n", v.Pin)
	}
	return nil
}
