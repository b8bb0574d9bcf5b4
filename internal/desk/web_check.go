package desk

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"sort"
	"strings"

	"parallax/internal/fault"
	"parallax/internal/web"
)

// shownIssues is how many issues the page lists; the CSV has up to 1,000.
const shownIssues = 50

func (s *Site) checkForm(w http.ResponseWriter, r *http.Request) error {
	return s.showCheckForm(w, r, http.StatusOK, "", nil)
}

// showCheckForm asks for a file; wrong is what was refused before.
func (s *Site) showCheckForm(w http.ResponseWriter, r *http.Request, code int, path string, wrong error) error {
	f := web.Form{Label: "Choose a file", Action: "/check", Multipart: true, Submit: "Check the file",
		Note: "The file is read on this computer and held in memory only. Nothing is sent to anybody.",
		Fields: []web.Field{
			{Kind: web.FieldFile, Name: "file", Label: "A CSV or NDJSON file", Accept: ".csv,.tsv,.ndjson,.jsonl,.txt", Optional: true,
				Help: fmt.Sprintf("In UTF-8, up to %d MB. Media, archives and office documents are refused by their first bytes.", maxUpload>>20)},
			{Name: "path", Label: "Or the path of a file on this computer", Value: path, Optional: true, MaxLength: 4096,
				Help: "For large files: the file is read where it is, and may have any size."},
			{Kind: web.FieldFile, Name: "mapping", Label: "A mapping file", Accept: ".json", Optional: true,
				Help: "Says what the columns mean. Without one it is guessed, and you can change it on the next page."},
		}}
	view := web.View{Title: "Check a file", Question: "What would our own file contribute, and what not?"}
	if wrong != nil {
		view.Problems = []web.Problem{{Field: "file", Sentence: sentence(wrong)}}
		f.Fields[0].Error = sentence(wrong)
	}
	about := web.Terms{
		{Name: "What it reads", Meaning: "One row for each suspicion that a person has confirmed: e-mail addresses, phone numbers, accounts and other identifiers, with a case reference, a date, a grade."},
		{Name: "What it says", Meaning: "For each column how many identifiers are usable, which are placeholders or shared values that a warning list stops, and which cannot be read, with line and reason."},
		{Name: "What it never does", Meaning: "It sends nothing, keeps nothing on disk, and takes no image, video or other media."},
	}
	body := []any{web.Split{Main: []any{f}, Side: []any{web.Section{Title: "What a check does", Body: []any{about}}}}}
	if open := s.openWorks(); len(open.Items) > 0 {
		body = append(body, web.Section{Title: "Files that are open now", Body: []any{open}})
	}
	view.Data = body
	return s.blocks(w, r, code, view)
}

func (s *Site) openWorks() web.List {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := web.List{Label: "Files that are open now"}
	for _, x := range s.works {
		l.Items = append(l.Items, web.Cell{Text: x.in.Name(), Href: "/check/" + x.id, Note: "opened " + web.Moment(x.opened)})
	}
	return l
}

// sentence is what a person may read of an error, as a sentence.
func sentence(err error) string {
	text := fault.Sentence(err)
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return capital(text)
}

// capital makes a label that stands alone begin with a capital letter.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// checkFile takes a file or a path, and a mapping if there is one.
func (s *Site) checkFile(w http.ResponseWriter, r *http.Request) error {
	up, err := readUpload(w, r)
	var work *work
	if err == nil {
		work, err = s.begin(up.in, up.size, up.mapping)
	}
	if fault.Is(err, fault.Invalid) {
		return s.showCheckForm(w, r, http.StatusUnprocessableEntity, up.path, err)
	}
	if err != nil {
		return err
	}
	return web.Redirect(w, r, "/check/"+work.id)
}

// An upload is what the form brought.
type upload struct {
	in      Input
	size    int64
	path    string
	mapping *Mapping
}

// readUpload streams the form's parts; a refused file is not read to its end.
func readUpload(w http.ResponseWriter, r *http.Request) (upload, error) {
	var up upload
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload+2*maxForm)
	parts, err := r.MultipartReader()
	if err != nil {
		return up, fault.Wrap(fault.Invalid, "The form could not be read.", err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return up, fault.Wrap(fault.Invalid, "The upload ended early; send it again.", err)
		}
		if err := up.take(part); err != nil {
			return up, err
		}
	}
	switch {
	case up.in == nil && up.path == "":
		return up, invalid("choose a file, or type the path of one")
	case up.in != nil && up.path != "":
		return up, invalid("choose a file or type a path, not both")
	case up.in == nil:
		return up, up.fromPath()
	}
	return up, nil
}

func (up *upload) take(part *multipart.Part) error {
	switch {
	case part.FormName() == "file" && part.FileName() != "":
		held, err := Hold(part, part.FileName(), maxUpload)
		up.in, up.size = held, held.Size()
		return err
	case part.FormName() == "mapping" && part.FileName() != "":
		raw, err := io.ReadAll(io.LimitReader(part, maxForm))
		if err != nil {
			return fault.Wrap(fault.Invalid, "The mapping file could not be read.", err)
		}
		m, err := ParseMapping(raw, filepath.Base(part.FileName()))
		up.mapping = &m
		return err
	case part.FormName() == "path":
		raw, err := io.ReadAll(io.LimitReader(part, 4096))
		up.path = strings.TrimSpace(string(raw))
		return err
	}
	return nil
}

func (up *upload) fromPath() error {
	if !filepath.IsAbs(up.path) {
		return invalid("the path must be a whole one, from the root of the file system, as %s", filepath.Join(string(filepath.Separator), "home", "me", "export.csv"))
	}
	f := File(up.path)
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(r, direct+1))
	up.in, up.size = f, n
	return err
}

func (s *Site) checked(w http.ResponseWriter, r *http.Request) error {
	work, err := s.find(r)
	if err != nil {
		return err
	}
	v := s.view(work)
	view := web.View{Title: v.in.Name(), Question: "What would this file contribute, and what not?",
		Crumbs: []web.Link{{Label: "Check a file", Href: "/check"}}}
	at := "/check/" + v.id
	switch {
	case v.reading:
		view.Data = []any{web.Poll{URL: at + "/state", Version: v.version, Seconds: 2, Text: readingText(v.rows), Again: at}}
		return s.blocks(w, r, http.StatusOK, view)
	case v.err != nil:
		view.Notice = &web.Notice{Tone: web.Stop, Title: "The file was not read to its end", Text: sentence(v.err) + " Nothing was sent."}
	default:
		view.Data = s.reportBlocks(r, v)
		if v.guessed {
			view.Notice = &web.Notice{Tone: web.Info, Title: "What the columns mean was guessed",
				Text: "Look at it before you rely on the figures.", Links: []web.Link{{Label: "What the columns mean", Href: "#columns"}}}
		}
	}
	body, _ := view.Data.([]any)
	view.Data = append(body, web.Section{ID: "columns", Title: "What the columns mean", Body: []any{v.mapping.form(at+"/mapping", v.columns)}},
		web.Actions{{Label: "Download this as a mapping file", Href: at + "/mapping.json"},
			{Label: "Forget this file", Href: at + "/forget", Post: true, About: v.in.Name()}})
	return s.blocks(w, r, http.StatusOK, view)
}

func readingText(rows int) string {
	return "Reading the file: " + web.Number(int64(rows)) + " rows so far."
}

func (s *Site) checkState(w http.ResponseWriter, r *http.Request) error {
	work, err := s.find(r)
	if err != nil {
		return err
	}
	v := s.view(work)
	return s.kit.Poll(w, web.PollState{Version: v.version, Text: readingText(v.rows), Done: !v.reading})
}

// reportBlocks is the report as a page.
func (s *Site) reportBlocks(r *http.Request, v workView) []any {
	rep := *v.report
	facts := web.Facts{
		{Label: "Rows", Value: web.N(int64(rep.Rows))},
		{Label: "Would become observations", Value: web.N(int64(rep.Observations))},
		{Label: "Read as", Value: web.T(map[string]string{FormatCSV: "CSV", FormatNDJSON: "NDJSON"}[rep.Format])},
	}
	out := []any{facts, rep.classTable(), rep.issueTable()}
	if !rep.Clean() {
		out = append(out, web.Actions{{Label: "Download these lines as CSV", Href: "/check/" + v.id + "/issues.csv"}})
	}
	if st := status(r); st.Contributes && rep.Observations > 0 {
		out = append(out, web.Actions{{Label: "See what would be submitted", Href: "/submit/" + v.id, Primary: true}})
	}
	return out
}

func (rep Report) classTable() web.Table {
	t := web.Table{Caption: "Identifiers by class", Note: "Stopped: a placeholder, a shared value or another value that would link people who have nothing to do with each other. Refused: it cannot be read as this class.",
		Columns: []web.Column{{Label: "Class"}, {Label: "Usable", Numeric: true}, {Label: "Stopped by a warning list", Numeric: true}, {Label: "Refused", Numeric: true}},
		Empty:   web.Empty{What: "No column is marked as an identifier.", When: "Say below which columns hold identifiers."}}
	for _, c := range rep.Classes {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(capital(c.Label)), web.N(int64(c.Accepted)), web.N(int64(c.Stopped)), web.N(int64(c.Refused))}})
	}
	return t
}

func (rep Report) issueTable() web.Table {
	t := web.Table{Caption: "What could not be used, by line", Columns: web.Cols("Line", "Column", "Outcome", "Why"), Filter: "Show lines with the words",
		Empty: web.Empty{What: "Every identifier can be used.", Good: "Lines that are stopped or refused would be listed here with the reason."}}
	for _, i := range rep.Issues[:min(len(rep.Issues), shownIssues)] {
		badge := web.Badge{Tone: web.Wait, Text: "Stopped"}
		if i.Outcome == Refused {
			badge = web.Badge{Tone: web.Stop, Text: "Refused"}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.N(int64(i.Line)), web.T(i.Column), {Badges: []web.Badge{badge}}, web.T(i.Sentence)}})
	}
	if all := len(rep.Issues) + rep.MoreIssues; all > 0 {
		t.Note = rep.reasonsText()
		t.Pages.Shown = fmt.Sprintf("%s of %s shown", web.Number(int64(len(t.Rows))), web.Number(int64(all)))
	}
	return t
}

// reasonsText counts the issues by reason, the most frequent first.
func (rep Report) reasonsText() string {
	codes := make([]string, 0, len(rep.Reasons))
	for code := range rep.Reasons {
		codes = append(codes, code)
	}
	sort.Slice(codes, func(i, j int) bool {
		a, b := codes[i], codes[j]
		return rep.Reasons[a] > rep.Reasons[b] || rep.Reasons[a] == rep.Reasons[b] && a < b
	})
	for i, code := range codes {
		codes[i] = fmt.Sprintf("%s %s", web.Number(int64(rep.Reasons[code])), code)
	}
	return "By reason: " + strings.Join(codes, ", ") + "."
}

func (s *Site) remap(w http.ResponseWriter, r *http.Request) error {
	work, err := s.find(r)
	if err != nil {
		return err
	}
	if err := form(w, r); err != nil {
		return err
	}
	s.mu.Lock()
	m, err := work.mapping.fromForm(r.PostForm, work.columns)
	if err == nil {
		work.mapping, work.guessed = m, false
	}
	s.mu.Unlock()
	if err != nil {
		f := m.form("/check/"+work.id+"/mapping", work.columns)
		return s.blocks(w, r, http.StatusUnprocessableEntity, web.View{Title: work.in.Name(), Question: "What do the columns mean?",
			Crumbs:   []web.Link{{Label: "Check a file", Href: "/check"}, {Label: work.in.Name(), Href: "/check/" + work.id}},
			Problems: []web.Problem{{Field: "column-0", Sentence: sentence(err)}}, Data: []any{f}})
	}
	s.read(work)
	return web.Redirect(w, r, "/check/"+work.id)
}

func (s *Site) forgetWork(w http.ResponseWriter, r *http.Request) error {
	work, err := s.find(r)
	if err != nil {
		return err
	}
	s.drop(work)
	return web.Redirect(w, r, "/check")
}

func (s *Site) mappingFile(w http.ResponseWriter, r *http.Request) error {
	work, err := s.find(r)
	if err != nil {
		return err
	}
	v := s.view(work)
	raw, err := v.mapping.encode()
	if err != nil {
		return err
	}
	return download(w, "mapping.json", "application/json", raw)
}

func (s *Site) issuesCSV(w http.ResponseWriter, r *http.Request) error {
	work, err := s.find(r)
	if err != nil {
		return err
	}
	v := s.view(work)
	if v.report == nil {
		return fault.New(fault.Conflict, "The file is still being read.")
	}
	rows := [][]string{{"line", "column", "class", "outcome", "code", "reason"}}
	for _, i := range v.report.Issues {
		rows = append(rows, []string{fmt.Sprint(i.Line), i.Column, string(i.Class), i.Outcome, i.Code, i.Sentence})
	}
	return downloadCSV(w, "issues.csv", rows)
}
