package web

import (
	"net/http"
	"strings"
)

// Link is a labelled address. Rendered links to other hosts carry no referrer.
type Link struct {
	Label string
	Href  string
}

// NavItem is one entry of the main navigation.
type NavItem struct {
	Group string // heading that the item stands under ("Work"); items of a group follow each other; may be empty
	Label string
	Href  string
	Key   string // one lower-case letter: "g" and then the letter goes there; may be empty
}

// Shell is what surrounds every page of one program.
type Shell struct {
	Product string // "Parallax"
	Section string // which program and whose: "Console", "Desk, Example Bank"
	Nav     []NavItem
	Role    string // who is looking, in words: "Lead reviewer"; may be empty
	Account []Link // beside the role: own settings, sign out page
	Banner  string // shown above everything: "Demonstration: simulated data"
	Footer  string // one or two sentences
	Links   []Link // in the footer: help, accessibility, how this works
	Exit    string // where the quick exit goes; empty: a blank page of this server
}

// View is one page: its title, the one question it answers and its content.
type View struct {
	Title    string
	Question string // the subtitle: one question, with its question mark
	Crumbs   []Link // the way back, outermost first, without the page itself
	Problems []Problem
	Notice   *Notice // what just happened, above the content
	Data     any     // handed to the page's template; for Blocks a []any of components
}

// layout is what the layout template sees.
type layout struct {
	Shell   Shell
	View    View
	Groups  []navGroup
	Keys    []NavItem // items that have a key
	Exit    string
	CSS, JS string
	Icon    string
	Request string
}

type navGroup struct {
	Name  string
	Items []navLink
}

type navLink struct {
	NavItem
	Current string // the value of aria-current: "page", "true" (an ancestor of this page) or ""
}

// groups arranges the navigation and marks where the request is.
func groups(items []NavItem, r *http.Request) []navGroup {
	current := currentItem(items, r.URL.Path)
	var out []navGroup
	for i, item := range items {
		if len(out) == 0 || out[len(out)-1].Name != item.Group {
			out = append(out, navGroup{Name: item.Group})
		}
		link := navLink{NavItem: item}
		if i == current {
			link.Current = "true"
			if item.Href == r.URL.Path {
				link.Current = "page"
			}
		}
		last := &out[len(out)-1]
		last.Items = append(last.Items, link)
	}
	return out
}

// currentItem is the index of the item with the longest address that path is
// or lies under, or -1.
func currentItem(items []NavItem, path string) int {
	best, length := -1, 0
	for i, item := range items {
		under := path == item.Href || item.Href != "/" && strings.HasPrefix(path, strings.TrimSuffix(item.Href, "/")+"/")
		if under && len(item.Href) > length {
			best, length = i, len(item.Href)
		}
	}
	return best
}
