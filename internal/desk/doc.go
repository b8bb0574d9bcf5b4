// Package desk is a member's own program: it reads the member's files, shows
// what is in them, submits observations to a sealed pool and keeps the local
// records that give an opened lead its meaning. At an approver or the
// authority it also requests, approves and reads openings.
//
// Reading and checking files works offline and without joining anything. No
// selector leaves the desk unblinded and no payload leaves it unsealed. The
// local store holds only sealed values, looked up by keyed hashes.
package desk
