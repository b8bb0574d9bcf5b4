package client

import (
	"parallax/opening"
	"parallax/seal"
	"parallax/signed"
	"parallax/tlog"
)

// PathAudit is where an auditor named in the manifest reads opened entries.
const PathAudit = "/v1/audit"

// AuditPageEntries is how many entries one page opens.
const AuditPageEntries = tlog.TileWidth

// An AuditRequest asks for the entries from From on, in the log of Size. At
// From = Size it asks for what the hub says that stands: leads and denials.
type AuditRequest struct {
	Size int64 `json:"size"`
	From int64 `json:"from"`
}

// An AuditRecord is what the log commits to before a page leaves the hub.
type AuditRecord struct {
	Type  string       `json:"type"` // "audit-read"
	Pool  string       `json:"pool"`
	By    string       `json:"by"`
	Size  int64        `json:"size"`
	From  int64        `json:"from"`
	Time  int64        `json:"time"`
	Nonce opening.Hash `json:"nonce"`
}

// An AuditPage is opened entries in order, or the last page's leads and denials.
type AuditPage struct {
	Entries []AuditEntry    `json:"entries"`
	Leads   []AuditLead     `json:"leads"`
	Denials []signed.Object `json:"denials"`
}

// An AuditEntry is one entry opened; a deleted one has no opening any more. A
// batch comes with what its organisation signed: headers, tags and digests,
// never a box.
type AuditEntry struct {
	Opening *tlog.Opening `json:"opening"`
	Batch   *AuditBatch   `json:"batch"`
}

// An AuditBatch is one contribution batch as the hub keeps it.
type AuditBatch struct {
	Sig    []byte      `json:"sig"`
	Leaves []seal.Leaf `json:"leaves"`
	// Logged is when the hub says that a witnessed checkpoint covered it, in UTC
	// microseconds; 0: not yet.
	Logged       int64                 `json:"logged"`
	Observations []opening.Observation `json:"observations"` // those that are kept
}

// An AuditLead is what the hub holds ready, or did.
type AuditLead struct {
	State  string       `json:"state"`
	Labels []seal.Label `json:"labels"`
}
