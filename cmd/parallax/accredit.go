package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"

	"parallax/client"
	"parallax/internal/fault"
	"parallax/internal/identity"
	"parallax/opening"
)

type governanceAccredit struct {
	Key           string `type:"existingfile" help:"This governor's key; adds its signature."`
	Accreditation string `arg:"" type:"existingfile" help:"An accreditation (JSON), or one that others have signed already."`
	Out           string `short:"o" type:"path" help:"Where the signed accreditation goes."`
	Hub           string `help:"Send it to the hub at this address, once the quorum has signed." placeholder:"URL"`
}

// Run signs what governance says of an organisation, or sends it, or both.
func (c *governanceAccredit) Run(ctx context.Context, std streams) error {
	if (c.Key == "") != (c.Out == "") || c.Key == "" && c.Hub == "" {
		return fault.New(fault.Invalid, "give --key and --out to sign, --hub to send what the quorum has signed, or all three")
	}
	sa, a, err := readAccreditation(c.Accreditation)
	if err != nil {
		return err
	}
	if c.Key != "" {
		key, err := readGovernor(c.Key)
		if err != nil {
			return err
		}
		sa.Add(key.ID, ed25519.NewKeyFromSeed(key.Seed))
		raw, err := json.MarshalIndent(sa, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Out, append(raw, '\n'), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "accreditation %s of %s, version %d, signed by %s\n", opening.Digest(sa.Body), a.Organisation, a.Version, key.ID)
	}
	if c.Hub == "" {
		return nil
	}
	if err := client.Post(ctx, machines, c.Hub+client.PathOrganisations, sa, nil); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "the hub has version %d of %s\n", a.Version, a.Organisation)
	return nil
}

func readAccreditation(path string) (sa identity.SignedAccreditation, a identity.Accreditation, err error) {
	if err := readInto(path, &sa); err == nil && len(sa.Body) > 0 {
		if a, err = sa.Read(); err != nil {
			err = fault.Wrap(fault.Invalid, path+": "+err.Error(), err)
		}
		return sa, a, err
	}
	if err := readInto(path, &a); err != nil {
		return sa, a, err
	}
	if sa, err = a.Encode(); err != nil {
		err = fault.Wrap(fault.Invalid, path+": "+err.Error(), err)
	}
	return sa, a, err
}
