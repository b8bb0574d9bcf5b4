package leads

import "parallax/internal/store"

// isolated are the tables of leads: rows of the whole pool, which no
// organisation's scope reaches.
var isolated = []store.Isolated{{Table: "leads_lead"}, {Table: "leads_opening"}, {Table: "leads_holder"}}
