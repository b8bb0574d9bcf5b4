// Package identity knows organisations and people: who belongs to which body,
// what they may do, how they prove that it is they, and for how long that
// counts. It decides nothing about leads, openings or the pool.
//
// What holds here, whatever a caller does:
//
//   - There is no account that nobody was invited to. The first link is printed
//     by the operator's command on the hub's own machine and works once.
//   - A person is (issuer, subject) of an OpenID provider, or holds a passkey.
//     An e-mail address identifies nobody and no password exists.
//   - Secrets (session tokens, invitations, keys for reads, one-time values) are
//     stored as hashes and shown once.
//   - A session is looked up for every request, together with the person and
//     what governance says of the organisation: what is ended or suspended is
//     out at the next request.
//   - Acts on people are entries of the transparency log, in the transaction of
//     the act. They name random ids; no name of a person is in the log.
//
// Machines are not people: their keys are in the manifest, which stays the
// truth about them.
package identity
