// Package auditor checks a pool from outside: it reads what the hub serves to
// everyone, computes the whole log anew, compares it with what it saw before
// and with what the key holders say themselves, and believes nothing that is
// not signed by whom the key ceremony names. It links neither the hub nor a
// database.
package auditor
