// Package backup copies the data folder of a hub, a key holder or a desk, and
// brings it back. A copy is made while the program runs, is sealed under a
// passphrase file by file, says in a manifest what it holds, and is read again
// before it counts. Record keys go to a place of their own, and copies of them
// older than 35 days are destroyed: what was deleted longer ago than that is
// readable in no copy.
//
// Nothing is ever overwritten: a copy and a restored folder are written beside
// their place and take it when they are whole.
package backup
