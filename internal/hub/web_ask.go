package hub

import (
	"net/http"

	"parallax/internal/web"
	"parallax/opening"
)

// ask explains where a person asks. Nothing can be asked here: this page is the
// same for everybody.
func (c *console) ask(w http.ResponseWriter, r *http.Request) error {
	members := web.List{Label: "Members of this pool", Empty: web.Empty{What: "The members appear here.", When: "The governance quorum signs the first policy."}}
	if m, ok := c.s.state.current(); ok {
		for _, x := range m.Members {
			if x.Status == opening.Active {
				members.Items = append(members.Items, web.Cell{Text: x.Name})
			}
		}
	}
	return c.blocks(w, r, web.View{Title: "Is something about me here?", Question: "Where do I ask, and what happens then?", Data: []any{
		web.Text("This hub cannot answer: it holds no readable identifier, and nothing can be looked up here. Ask an organisation that you deal with and that is a member of this pool."),
		web.Section{Title: "How it goes", Body: []any{web.Terms{
			{Name: "You show that the identifier is yours", Meaning: "The organisation sends a code to it, or checks it in another way that it knows. Nobody can ask about somebody else."},
			{Name: "You get a number", Meaning: "Everybody gets the same answer at once, whether anything is held or not. It says nothing either way."},
			{Name: "The authority and counsel look", Meaning: "What is found goes to them only, sealed. They freeze what is concerned within 24 hours and decide within 30 days. What was wrong is corrected with everybody who read it."},
			{Name: "What stays closed", Meaning: "What no opening rule has opened can be read by nobody, so it cannot be looked up for you either. It ends by its own date: after 12 months, phone numbers after 6."},
		}}},
		web.Section{Title: "Whom to ask", Body: []any{members}}}})
}
