// Package law reads and keeps the data that the route finder works on: the rows
// of law, the worked scenarios' vocabulary, the organisations, and what a
// deployment's counsel adds or signs.
//
// The data set that is built in is illustrative and needs review by counsel; it
// says so wherever it is shown, until a deployment publishes a version of its
// own that two of its counsel have signed (see Publication).
//
// All files are read strictly: an unknown key, a second document or a doubled
// id is an error that names the line.
package law
