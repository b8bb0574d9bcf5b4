package identity

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parallax/internal/api"
	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/web"
)

// Me answers: how do I sign in, and where am I signed in?
func (p *Pages) Me(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	return p.showMe(w, r, by, nil, nil)
}

func (p *Pages) showMe(w http.ResponseWriter, r *http.Request, by Principal, notice *web.Notice, wrong *web.Form) error {
	me, err := p.s.me(r.Context(), by)
	if err != nil {
		return err
	}
	sessions, err := p.s.Sessions(r.Context(), by)
	if err != nil {
		return err
	}
	v := web.View{Title: "Me", Question: "How do I sign in, and where am I signed in?", Notice: notice}
	data := []any{p.meFacts(by, me), web.Section{Title: "Sessions", Body: sessionBlocks(sessions)}}
	if me.Account == Passkey {
		list, err := p.s.Passkeys(r.Context(), by)
		if err != nil {
			return err
		}
		data = append(data, web.Section{Title: "Passkeys", Body: p.passkeyBlocks(by, list)})
	}
	if by.Has(OrganisationAdmin) {
		keys, err := p.s.Keys(r.Context(), by)
		if err != nil {
			return err
		}
		if wrong != nil {
			v.Problems = wrong.Problems()
		}
		data = append(data, web.Section{Title: "Keys for open reads", Body: p.keyBlocks(by, keys, wrong)})
	}
	v.Data = data
	return p.blocks(w, r, v)
}

func (p *Pages) meFacts(by Principal, me Person) web.Facts {
	var roles []string
	for _, x := range by.Roles {
		roles = append(roles, Label(x))
	}
	confirmed := web.Cell{Text: "Not in the last five minutes", Note: "Acts on people and keys ask for it."}
	if Confirmed(by, p.s.o.Clock.Now()) {
		confirmed = web.Cell{Text: "Until " + web.Moment(by.StepUpAt.Add(authz.StepUp))}
	}
	f := web.Facts{{Label: "Name", Value: web.T(by.Name)}, {Label: "Organisation", Value: web.T(by.Organisation)}, {Label: "Roles", Value: web.T(strings.Join(roles, "; "))},
		{Label: "Signs in with", Value: web.T(p.account(me.Account))}, {Label: "Confirmed", Value: confirmed}}
	if by.Suspended {
		f = append(f, web.Fact{Label: "Organisation's state", Value: web.Cell{Badges: []web.Badge{{Tone: web.Stop, Text: "Suspended"}}, Note: "You can see your receipts and put right what was sent; nothing else."}})
	}
	return f
}

// account says in words how somebody signs in.
func (p *Pages) account(account string) string {
	for _, x := range p.s.o.Providers {
		if x.Issuer == account {
			return x.Name
		}
	}
	switch account {
	case Passkey:
		return "Passkey"
	case "":
		return "Not enrolled yet"
	default:
		return "A provider that is not set up here any more"
	}
}

func sessionBlocks(list []Session) []any {
	t := web.Table{Caption: "Where you are signed in", Columns: web.Cols("Browser", "Signed in", "Last used", "State"),
		Note: "A session ends after 15 minutes without use and after 8 hours in any case. What you do not recognise, end, and tell an administrator of your organisation."}
	var ends web.Actions
	for _, x := range list {
		state := web.Badge{Tone: web.Plain, Text: "Open"}
		if x.Current {
			state = web.Badge{Tone: web.Info, Text: "This one"}
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(x.Device), web.At(x.Created), web.At(x.Seen), {Badges: []web.Badge{state}}}})
		about := x.Device + ", signed in " + web.Moment(x.Created)
		if x.Current {
			about = "the one that you are using"
		}
		ends = append(ends, web.Action{Label: "End session " + strconv.Itoa(len(ends)+1), Href: "/me/sessions/end", Post: true, Hidden: []web.Hidden{{Name: "session", Value: x.ID}}, About: about})
	}
	for i := range t.Rows {
		t.Rows[i].Cells[0].Text = strconv.Itoa(i+1) + ". " + t.Rows[i].Cells[0].Text
	}
	if len(list) > 1 {
		ends = append(ends, web.Action{Label: "End all other sessions", Href: "/me/sessions/end", Post: true, Hidden: []web.Hidden{{Name: "session", Value: allOthers}}})
	}
	return []any{t, ends}
}

// allOthers stands for a session's id: every session but the one that asks.
const allOthers = "others"

// EndSession ends one of the person's own sessions, or all others.
func (p *Pages) EndSession(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	if err := form(w, r); err != nil {
		return err
	}
	end := p.s.EndSession
	if r.PostFormValue("session") == allOthers {
		end = func(ctx context.Context, by Principal, _ string) error { return p.s.EndOtherSessions(ctx, by) }
	}
	if err := end(r.Context(), by, r.PostFormValue("session")); err != nil {
		return err
	}
	return web.Redirect(w, r, "/me")
}

func (p *Pages) passkeyBlocks(by Principal, list []Credential) []any {
	t := web.Table{Caption: "Your passkeys", Columns: web.Cols("Made with", "Made", "Last used"), Note: "Keep two on different devices, so that losing one does not lock you out."}
	var ends web.Actions
	for i, x := range list {
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(strconv.Itoa(i+1) + ". " + x.Label), web.At(x.Created), web.At(x.Used)}})
		if len(list) > 1 {
			ends = append(ends, web.Action{Label: "Remove passkey " + strconv.Itoa(i+1), Href: "/me/passkeys/remove", Post: true, Careful: true, Hidden: []web.Hidden{{Name: "passkey", Value: x.ID}}})
		}
	}
	if !Confirmed(by, p.s.o.Clock.Now()) {
		return []any{t, confirmFirst("/me", "To add or remove a passkey, confirm first that it is you.")}
	}
	return []any{t, ends, web.Passkey{Label: "Add a passkey", Create: true, Options: "/me/passkeys/options", Finish: "/me/passkeys"}, web.Text(withPasskeys)}
}

// confirmFirst leads to a step-up and back.
func confirmFirst(next, why string) web.Notice {
	return web.Notice{Tone: web.Info, Title: why, Links: []web.Link{{Label: "Confirm that it is you", Href: again(next)}}}
}

func again(next string) string { return "/again?" + url.Values{"next": {next}}.Encode() }

// AddAsk begins another passkey.
func (p *Pages) AddAsk(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	if !Confirmed(by, p.s.o.Clock.Now()) {
		return errConfirm
	}
	o, err := p.s.owner(r.Context(), by)
	if err != nil {
		return err
	}
	if o.Account != Passkey {
		return fault.New(fault.Forbidden, "You sign in with a provider; passkeys are for people without an account there.")
	}
	options, err := p.s.keys.offer(w, r, flow{Kind: flowAdd, Next: "/me", Person: by.Person}, o)
	if err != nil {
		return err
	}
	return api.WriteJSON(w, http.StatusOK, options)
}

// RemovePasskey removes one of the person's own passkeys.
func (p *Pages) RemovePasskey(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	if err := form(w, r); err != nil {
		return err
	}
	if err := p.s.RemovePasskey(r.Context(), by, r.PostFormValue("passkey")); err != nil {
		return err
	}
	return web.Redirect(w, r, "/me")
}

func (p *Pages) keyBlocks(by Principal, list []Key, wrong *web.Form) []any {
	now := p.s.o.Clock.Now()
	t := web.Table{Caption: "Keys of your organisation", Columns: web.Cols("For", "Id", "Reads", "Expires", "Last used", "State"),
		Empty: web.Empty{What: "Keys that programs of your organisation read open data with appear here.", When: "You make one below.", Good: "Without one, programs read what is open as everybody does."}}
	var ends web.Actions
	for _, k := range list {
		state := web.Badge{Tone: web.Good, Text: "Counts"}
		switch {
		case k.Revoked:
			state = web.Badge{Tone: web.Stop, Text: "Revoked"}
		case !now.Before(k.Expires):
			state = web.Badge{Tone: web.Plain, Text: "Expired"}
		default:
			ends = append(ends, web.Action{Label: "Revoke " + k.ID, Href: "/me/keys/revoke", Post: true, Careful: true, Hidden: []web.Hidden{{Name: "key", Value: k.ID}}})
		}
		used := web.T("Never")
		if !k.Used.IsZero() {
			used = web.At(k.Used)
		}
		t.Rows = append(t.Rows, web.Row{Cells: []web.Cell{web.T(k.Label), {Text: k.ID, Code: true}, web.T(readLabels(k.Reads)), web.At(k.Expires), used, {Badges: []web.Badge{state}}}})
	}
	out := []any{web.Text("A key is for programs that read what is open to everybody; it shows who reads and can be revoked. It opens nothing that is closed."), t}
	if len(ends) > 0 {
		out = append(out, ends)
	}
	if !Confirmed(by, now) {
		return append(out, confirmFirst("/me", "To make a key, confirm first that it is you."))
	}
	if wrong != nil {
		return append(out, *wrong)
	}
	return append(out, keyForm("", nil, "90"))
}

func readLabels(names []string) string {
	var out []string
	for _, n := range names {
		for _, x := range Reads {
			if x.Name == n {
				out = append(out, x.Label)
			}
		}
	}
	return strings.Join(out, "; ")
}

func keyForm(label string, reads []string, days string) web.Form {
	var options []web.Option
	for _, x := range Reads {
		options = append(options, web.Option{Value: x.Name, Label: x.Label})
	}
	return web.Form{Label: "New key", Action: "/me/keys", Submit: "Make the key", Note: "The key is shown once. The log gets its id, not the key.", Fields: []web.Field{
		{Name: "label", Label: "What it is for", Value: label, MaxLength: maxText},
		{Kind: web.FieldChecks, Name: "reads", Label: "May read", Values: reads, Options: options},
		{Kind: web.FieldNumber, Name: "days", Label: "Days until it expires", Help: "From 1 to 366.", Value: days}}}
}

// MakeKey makes a key for open reads and shows it once.
func (p *Pages) MakeKey(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	if err := form(w, r); err != nil {
		return err
	}
	f := keyForm(r.PostFormValue("label"), r.PostForm["reads"], r.PostFormValue("days"))
	days, err := strconv.Atoi(f.Fields[2].Value)
	if err != nil || days < 1 || days > 366 {
		f.Fields[2].Error = "Give a whole number of days from 1 to 366."
	}
	if !plainText(f.Fields[0].Value) {
		f.Fields[0].Error = "Say on one line what the key is for."
	}
	if len(f.Fields[1].Values) == 0 {
		f.Fields[1].Error = "Choose at least one thing that it may read."
	}
	if len(f.Problems()) > 0 {
		return p.showMe(w, r, by, nil, &f)
	}
	k, text, err := p.s.MakeKey(r.Context(), by, f.Fields[0].Value, f.Fields[1].Values, time.Duration(days)*24*time.Hour)
	if err != nil {
		return err
	}
	return p.blocks(w, r, web.View{Title: "New key", Question: "What do I give to the program?", Crumbs: []web.Link{{Label: "Me", Href: "/me"}}, Data: []any{
		web.Notice{Tone: web.Good, Title: "The key was made.", Text: "This page shows it once. Copy it now; nobody can show it again."},
		web.Code{Label: "Key", Text: text},
		web.Text("The program sends it as the header \"Authorization: Bearer\" and the key. It counts until " + web.Moment(k.Expires) + "."),
		web.Actions{{Label: "Done", Href: "/me", Primary: true}}}})
}

// RevokeKey ends a key.
func (p *Pages) RevokeKey(w http.ResponseWriter, r *http.Request) error {
	by, err := p.person(r)
	if err != nil {
		return err
	}
	if err := form(w, r); err != nil {
		return err
	}
	if err := p.s.RevokeKey(r.Context(), by, r.PostFormValue("key")); err != nil {
		return err
	}
	return web.Redirect(w, r, "/me")
}
