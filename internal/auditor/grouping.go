package auditor

// Grouping is filled in below.
type Grouping struct{}
