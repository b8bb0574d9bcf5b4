// Package leads carries an opening from a ready lead to released shares: the
// list of leads that are ready, the request and its approvals, their entry in
// the log, the bundle for every key holder and the sealed partials that come
// back.
//
// It decides nothing that matters by itself. Key holders check every bundle
// anew; this package only refuses early what they would refuse late, and it
// can leave out but never add. The authority sees an opaque random id and the
// satisfied conditions of leads that are ready, and nothing of what is not.
// Whoever reads the list or fetches an opening is in the log before the bytes
// leave.
package leads
