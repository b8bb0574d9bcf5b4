// Package web is the kit that every page of Parallax is made with: the hub's
// console, a desk's local page and the demonstration's start page. It holds the
// layout, the components, the one style sheet, the one script, the error page
// and the headers that browsers are given.
//
// Pages are typed: a handler fills a [View] with components (structs such as
// [Table], [Form], [Facts]) and the kit renders them through html/template.
// There is no other way to write HTML here: no component takes markup as a
// string, and the content security policy allows no inline style or script, so
// what an identifier or a payload contains can only ever be shown as text.
//
// A server is put together like this:
//
//	kit, err := web.New(web.Config{Log: log, Shell: shellFor})
//	err = kit.Add("leads", leads.Pages)        // embed.FS with *.html, optional
//	mux.Handle("GET /assets/", kit.Assets())
//	mux.Handle("GET /leads", kit.Handle(func(w http.ResponseWriter, r *http.Request) error {
//		return kit.Render(w, r, http.StatusOK, web.Blocks, web.View{
//			Title: "Openings", Question: "Which sealed matches may be opened?",
//			Data: []any{web.Table{...}},
//		})
//	}))
//	server.Handler = api.Edge{Log: log, Clock: clock, Next: kit.Protect(mux)}
//
// Everything works without the script: it adds a filter, polling and keys to
// what is already a whole page.
package web
