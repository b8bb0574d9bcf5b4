// Package house holds no program: its tests are the rules of the house. They
// read the source of the whole module and name the file and the reason when an
// import crosses a layer, a query names another slice's table, a page loads
// something from elsewhere, or a text uses a word that it should not.
//
// Each rule is a function over a list of files, tested on a small made-up tree
// that breaks it, and then run over the real one.
package house
