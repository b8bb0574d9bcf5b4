package client

import (
	"parallax/opening"
	"parallax/signed"
)

// Paths by which the authority hears what was put right in what it has read.
const (
	PathCorrected    = "/v1/corrected"
	PathCorrectedAck = "/v1/corrected/receipts"
)

// CorrectionReceiptDomain is that of a reader's receipt for a correction.
const CorrectionReceiptDomain = "parallax/correction-receipt/v1"

// Corrected lists the corrections of what the authority may have read.
type Corrected struct {
	Corrections []CorrectedItem `json:"corrections"`
}

// A CorrectedItem is one signed denial and the released openings that list an
// observation of it.
type CorrectedItem struct {
	Denial   signed.Object `json:"denial"`
	Openings []string      `json:"openings"`
	Due      int64         `json:"due"`     // for the receipt
	Waiting  bool          `json:"waiting"` // for a receipt
}

// A CorrectionReceipt is a reader's word, under its signature, that its desk
// keeps a correction and hides what it names.
type CorrectionReceipt struct {
	Correction opening.Hash `json:"correction"` // digest of the denial's body
	Openings   []string     `json:"openings"`
	Reader     string       `json:"reader"`
	Time       int64        `json:"time"`
}

// CorrectedAck says when the hub took a receipt.
type CorrectedAck struct {
	Time int64 `json:"time"`
}
