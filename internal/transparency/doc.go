// Package transparency keeps the pool's log in the same database, and in the
// same transaction, as the acts that it records. What an act commits, its log
// entry commits; what rolls back was never promised.
//
// Leaves are hiding commitments. Every tick appends the same number of them,
// dummies included, in random order, so that the log's growth tells nobody how
// much happened or what. A leaf's kind and record stay in this database; its
// opening is given only to whom the record concerns.
package transparency
