package law

import (
	"encoding/json"
	"slices"

	"parallax/internal/fault"
	"parallax/internal/gateway/route"
)

// A File is a file's name, for messages, and its bytes.
type File struct {
	Name string `json:"name"`
	Raw  []byte `json:"raw"`
}

// Files are what a deployment answers by. All may be empty: then it answers by
// the built-in data set, which nobody signed.
type Files struct {
	Data      File `json:"data"`      // instead of the built-in data set
	Overlay   File `json:"overlay"`   // laid over it
	Published File `json:"published"` // the publication of the overlay, or of the data set where there is none
	Counsel   File `json:"counsel"`   // whose signatures count
}

// Deployed is law data made ready for use, with who signed it.
type Deployed struct {
	Set    Set
	Finder *route.Finder
	Digest string // SHA-256, in hex, of the whole data with its overlay
	Base   string // of the data set under the overlay
	// Decisions are the standing decisions that two counsel signed; none of a
	// file that nobody signed.
	Decisions []Decision
	SignedBy  []string  // empty: nobody
	Statement Statement // what they signed
}

// Deploy reads the files and checks, for a day, what counsel signed.
func Deploy(files Files, day string) (Deployed, error) {
	var d Deployed
	read := func() (Set, error) { return Read(files.Data.Name, files.Data.Raw) }
	if files.Data.Raw == nil {
		files.Data, read = File{BuiltInName, builtIn}, BuiltIn
	}
	set, err := read()
	if err != nil {
		return d, err
	}
	d.Base = digest(files.Data.Raw)
	if files.Overlay.Raw == nil {
		if set.Meta.Review, err = d.reviewed(files, files.Data.Raw, nil, set.Meta.Review, day); err != nil {
			return d, err
		}
		return d.finish(set)
	}
	o, err := ReadOverlay(files.Overlay.Name, files.Overlay.Raw)
	if err != nil {
		return d, err
	}
	if o.Meta.Review, err = d.reviewed(files, files.Overlay.Raw, files.Data.Raw, o.Meta.Review, day); err != nil {
		return d, err
	}
	// A signed overlay says nothing about the rows under it, so the sentence of
	// the set stays in front.
	set.Meta.Review = Unsigned(set.Meta.Review)
	if set, err = set.With(o); err != nil {
		return d, err
	}
	return d.finish(set)
}

// reviewed is the sentence that is shown with every answer, of a file that says
// said of itself.
func (d *Deployed) reviewed(files Files, raw, base []byte, said, day string) (string, error) {
	if files.Published.Raw == nil {
		return Unsigned(said), nil
	}
	if files.Counsel.Raw == nil {
		return "", fault.New(fault.Invalid, "a publication needs the list of counsel whose signatures you accept (--counsel)")
	}
	var p Publication
	if err := json.Unmarshal(files.Published.Raw, &p); err != nil {
		return "", fault.Wrap(fault.Invalid, files.Published.Name+" is no publication: "+err.Error(), err)
	}
	var counsel []Counsel
	if err := json.Unmarshal(files.Counsel.Raw, &counsel); err != nil {
		return "", fault.Wrap(fault.Invalid, files.Counsel.Name+" is no list of counsel's public cards: "+err.Error(), err)
	}
	var err error
	if d.Statement, d.SignedBy, err = p.Verify(raw, base, counsel, day); err != nil {
		d.SignedBy = nil
		return "", err
	}
	return d.Statement.Sentence(d.SignedBy), nil
}

func (d Deployed) finish(set Set) (Deployed, error) {
	var err error
	if d.Finder, err = set.Finder(); err != nil {
		return d, err
	}
	text, err := set.Text()
	if err != nil {
		return d, err
	}
	d.Set, d.Digest = set, digest(text)
	if d.SignedBy != nil {
		d.Decisions = set.Decisions
	}
	return d, nil
}

// Effective says whether what counsel signed may be answered by on a day. What
// nobody signed is effective on none.
func (d Deployed) Effective(day string) error {
	switch {
	case d.SignedBy == nil:
		return fault.New(fault.Forbidden, "No law data that two counsel signed is in use here, so no standing decision is.")
	default:
		return d.Statement.Effective(day)
	}
}

// Standing gives a standing decision that carries on a day, with its route.
func (d Deployed) Standing(id, day string) (Decision, route.Route, error) {
	if err := d.Effective(day); err != nil {
		return Decision{}, route.Route{}, err
	}
	i := slices.IndexFunc(d.Decisions, func(x Decision) bool { return x.ID == id })
	if i < 0 {
		return Decision{}, route.Route{}, fault.Newf(fault.Forbidden, "The gateway holds no decision %q.", id)
	}
	r, err := d.Decisions[i].Check(d.Finder, day)
	return d.Decisions[i], r, err
}
