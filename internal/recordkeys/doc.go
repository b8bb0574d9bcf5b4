// Package recordkeys lets records be forgotten: each is sealed under a key of
// its own, and the keys are in a database apart, which is backed up apart and
// not for long. To delete a record for good is to destroy its key; what is left
// of it in older backups can then be read by nobody.
//
// Beside the keys is the list of what was deleted, one synced line for each
// act, which a restored backup is held against before anything is served from
// it. Ids on the list are hashes or keyed hashes, never what a record says.
package recordkeys
