package gateway

import "parallax/internal/store"

// isolated are the tables whose rows are one organisation's. Law data, flows and
// the register belong to everybody who may look at the hub.
var isolated = []store.Isolated{{Table: "gateway_request", Column: "organisation"}}
