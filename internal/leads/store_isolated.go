package leads

import "parallax/internal/store"

// isolated are the tables of leads: rows of the whole pool, which no
// organisation's scope reaches, but for what was released to that organisation.
// leads_latest holds a time and is open to all.
var isolated = []store.Isolated{{Table: "leads_lead"}, {Table: "leads_opening"}, {Table: "leads_holder"},
	{Table: "leads_step"}, {Table: "leads_emergency"}, {Table: "leads_note", Column: "org"}}
