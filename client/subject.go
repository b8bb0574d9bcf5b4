package client

// Paths of subject requests and of the review of what was opened.
const (
	PathSubject  = "/v1/subjects"
	PathSubjects = "/v1/subjects/list"
	PathRetain   = "/v1/retention"
	PathRetained = "/v1/retention/list"
)

// SubjectInfo is the HPKE info of a finding: its number follows.
const SubjectInfo = "parallax/subject-finding/v1|"

// SubjectSize is the size of every finding before it is sealed, in bytes,
// whatever was found.
const SubjectSize = 4096

// A SubjectReport carries one finding, sealed to the authority. The hub learns
// that an organisation was asked, and nothing else: all have one size.
type SubjectReport struct {
	Number string `json:"number"`
	Sealed []byte `json:"sealed"`
}

// Subjects lists findings to the authority.
type Subjects struct {
	Subjects []SubjectItem `json:"subjects"`
}

// A SubjectItem is one finding as the hub keeps it.
type SubjectItem struct {
	SubjectReport
	Organisation string `json:"organisation"`
	Taken        int64  `json:"taken"`
	Freeze       int64  `json:"freeze"` // by when what is concerned is to be frozen
	Decide       int64  `json:"decide"` // by when it is to be decided
}

// Outcomes of a review.
const (
	RetainKeep  = "keep"  // still needed; the next review is due in 90 days
	RetainClear = "clear" // not needed: closed now, a bare commitment in 30 days
)

// A RetainRequest says what is to become of an opened lead.
type RetainRequest struct {
	Opening string `json:"opening"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
}

// A Retained is where an opened lead stands.
type Retained struct {
	Opening  string `json:"opening"`
	Released int64  `json:"released"`
	Due      int64  `json:"due"`     // of the next review; read by nobody afterwards
	Cleared  int64  `json:"cleared"` // 0: not
	Bare     int64  `json:"bare"`    // when nothing but a commitment is left, or was
	State    string `json:"state"`   // open, overdue, cleared, bare
}

// RetainedList lists what is to be reviewed.
type RetainedList struct {
	Openings []Retained `json:"openings"`
}
