// Package hub is the program in the middle: it serves the sealed pool, the
// transparency log, the openings and the board of the key ceremony over HTTP,
// and runs the tick that moves everything that is not an answer to a request.
//
// It holds tags and ciphertext, never a selector, a plaintext or a key share.
// Whatever it sends to key holders or desks, they verify for themselves.
package hub
