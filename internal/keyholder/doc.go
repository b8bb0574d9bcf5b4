// Package keyholder is one key holder: an independent body that keeps one
// share of every key of a pool. It answers blinded evaluations within each
// member's budget, cosigns the transparency log, and releases decryption
// shares only after checking manifest, signatures, rule, legal basis, approvals
// and log by itself: no proof, no share.
//
// It links no hub code and no database. Its state is one journal file, appended
// and synced before any answer that depends on it leaves the process. It never
// sees a selector or a plaintext, and never writes a key, a share, a partial or
// a payload to a log.
package keyholder
