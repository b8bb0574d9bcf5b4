package pool

import "parallax/internal/store"

// isolated are the pool's tables and the column that says whose a row is. What
// the linking job derives from several organisations is the whole pool's. A
// contribution leaves a note there that its tags changed, and cannot read it.
var isolated = []store.Isolated{
	{Table: "pool_batch", Column: "org"},
	{Table: "pool_batch_leaf", Column: "org"},
	{Table: "pool_observation", Column: "org"},
	{Table: "pool_obs_tag", Column: "org"},
	{Table: "pool_withdrawn", Column: "org"},
	{Table: "pool_denial", Column: "org"},
	{Table: "pool_query", Column: "org"},
	{Table: "pool_freeze", Column: "author"},
	{Table: "pool_touched", Inbox: true},
	{Table: "pool_deletion", Inbox: true},
	{Table: "pool_contrib"},
	{Table: "pool_token_sum"},
	{Table: "pool_cluster"},
}
