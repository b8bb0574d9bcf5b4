// Package pool is the sealed pool: it takes batches of sealed observations,
// keeps them, and links those that share a tag. It is the only owner of tags.
//
// Two things never meet here. Taking a batch checks what the batch itself
// shows, stores it beside its log entry in one transaction and acknowledges
// with a receipt whose shape does not depend on what the pool holds: it reads
// and updates no row that another organisation has a part in, so a contributor
// learns nothing about the others, neither from the answer nor from the work
// that it causes. Linking runs later, as a job, over the tags that changed
// since it last ran.
//
// Clusters are an index to find candidates with. They are never evidence: what
// may open is decided from signed headers by package opening, first here for
// the list of ready leads and then again by every key holder for itself.
package pool
