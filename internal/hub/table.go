package hub

import (
	"net/http"

	"parallax/client"
	"parallax/internal/api"
	"parallax/internal/authz"
	"parallax/internal/fault"
	"parallax/internal/identity"
	"parallax/internal/transparency"
	"parallax/signed"
)

var (
	messageLimits    = api.Limits{Bytes: 1 << 20}
	batchLimits      = api.Limits{Bytes: signed.MaxSize, Values: 1_000}
	transcriptLimits = api.Limits{Bytes: 16 << 20}
	boardLimits      = api.Limits{Bytes: 4 << 20}
	reshareLimits    = api.Limits{Bytes: 16 << 20} // a dealer hands over every denial that it knows
)

// board is where the messages of the key ceremony are put up.
const board = client.PathCeremony + "{pool}/{epoch}/"

// table is every route that this hub serves: see Route for how a line is added.
func (s *Server) table() []Route {
	c := s.console
	list := []Route{
		asset("/assets/", func(s *Server) http.Handler { return s.console.kit.Assets() }),

		// Machines: set-up, policy and log, open to anybody.
		read(client.PathTranscript, authz.ReadSetup, s.people.OpenRead(identity.ReadPolicy, get(s.getTranscript))),
		read(client.PathManifest, authz.ReadPolicy, s.people.OpenRead(identity.ReadPolicy, get(s.getManifests))),
		proven(client.PathManifest, authz.PostPolicy, shared, transcriptLimits, byQuorum, s.putManifests),
		proven(client.PathDeny, authz.Thaw, ofLeads, messageLimits, byGovernor, s.thaw),
		read(client.PathCheckpoint, authz.ReadLog, s.people.OpenRead(identity.ReadLog, s.checkpoint)),
		read(client.PathLog+transparency.TilePattern, authz.ReadLog, s.people.OpenRead(identity.ReadLog, s.tlog.ServeTile())),
		proven(client.PathDeskCosign, authz.CosignLog, shared, messageLimits, byWitness, s.deskCosign),
		read(client.PathStatus, authz.ReadStatus, s.people.OpenRead(identity.ReadStatus, get(s.getStatus))),
		read(board+"state", authz.ReadSetup, get(s.ceremonyState)),
		proven(board+"{attempt}/{round}/{index}", authz.PostSetup, shared, boardLimits, byPlace, s.post),
		read(board+"{attempt}/{round}", authz.ReadSetup, get(s.round)),
		proven(board+"{attempt}/abort", authz.PostSetup, shared, boardLimits, byPlace, s.abort),
		read(board+"{attempt}/aborts", authz.ReadSetup, get(s.aborts)),
		proven(board+"transcript", authz.PostSetup, shared, transcriptLimits, byPlace, s.putTranscript),

		read(client.PathReshare, authz.ReadSetup, get(s.getReshare)),
		proven(client.PathReshare, authz.PostPolicy, shared, messageLimits, byOrder, s.postOrder),
		proven(client.PathReshare+"/{order}/{step}/{place}", authz.PostSetup, shared, reshareLimits, byPlace, s.postReshare),
		proven(client.PathReshare+"/destroyed/{generation}/{index}", authz.PostSetup, shared, messageLimits, byPlace, s.postDestroyed),

		// Machines: signed messages of members and approvers.
		message(client.PathContribute, authz.Contribute, own, batchLimits, s.contribute),
		message(client.PathQueries, authz.Contribute, own, messageLimits, s.handIn),
		message(client.PathReceipts, authz.ReadReceipt, own, messageLimits, s.receipt),
		message(client.PathOutcomes, authz.ReadReceipt, own, messageLimits, s.outcomes),
		message(client.PathWithdraw, authz.Withdraw, own, messageLimits, s.withdraw),
		message(client.PathCorrect, authz.Withdraw, own, messageLimits, s.correct),
		message(client.PathSubject, authz.Withdraw, own, messageLimits, s.subject),
		message(client.PathSubjects, authz.FetchOpening, ofLeads, messageLimits, s.subjects),
		message(client.PathRetain, authz.FetchOpening, ofLeads, messageLimits, s.retain),
		message(client.PathRetained, authz.FetchOpening, ofLeads, messageLimits, s.retained),
		message(client.PathCorrectAny, authz.Correct, ofLeads, messageLimits, s.correct),
		message(client.PathLeads, authz.ReadLeads, ofLeads, messageLimits, s.list),
		message(client.PathOpenings, authz.AskOpening, ofLeads, messageLimits, s.request),
		message(client.PathApprove, authz.Approve, ofLeads, messageLimits, s.approve),
		message(client.PathList, authz.ReadOpenings, ofLeads, messageLimits, s.openings),
		message(client.PathWaiting, authz.ReadOpenings, ofLeads, messageLimits, s.waiting),
		message(client.PathAudit, authz.AuditLog, ofLeads, messageLimits, s.audit),
		message(client.PathQueryRead, authz.AuditQueries, shared, messageLimits, s.queryRead),
		message(client.PathFetch, authz.FetchOpening, ofLeads, messageLimits, s.fetch),
		message(client.PathReads, authz.AnchorReads, ofLeads, messageLimits, s.anchorReads),
		message(client.PathHandle, authz.Handle, ofLeads, messageLimits, s.handle),
		message(client.PathReview, authz.Review, ofLeads, messageLimits, s.review),
		message(client.PathCorrected, authz.FetchOpening, ofLeads, messageLimits, s.corrected),
		message(client.PathCorrectedAck, authz.FetchOpening, ofLeads, messageLimits, s.correctedAck),

		// Pages.
		page("/{$}", authz.UseHub, shared, c.today),
		page("/ask", authz.UseHub, shared, c.ask),
		page("/log", authz.ReadLog, shared, c.log),
		page("/log/growth.csv", authz.ReadLog, shared, c.growthCSV),
		page("/log/checkpoint", authz.ReadLog, shared, c.downloadCheckpoint),
		page("/log/proof/{entry}", authz.ReadLog, shared, c.downloadProof),
		page("/keys", authz.ReadPolicy, shared, c.keys),
		page("/contribute", authz.ReadRecords, own, c.pool.Contribute),
		page("/contribute/state", authz.ReadRecords, own, c.pool.State),
		page("/openings", authz.ReadLeads, ofLeads, c.leads.Openings),
		page("/openings/state", authz.ReadLeads, ofLeads, c.leads.State),
		page("/corrections", authz.ReadLeads, ofLeads, c.amends.Corrections),
		page("/leads/{id}", authz.ReadLeads, ofLeads, c.leads.Lead),

		// What is in no line, besides the routes for people (people.go).
		nothing("/v1/", false),
		nothing("/", true),
	}
	list = append(list, s.peopleRoutes()...)
	list = append(list, s.gatewayRoutes()...)
	list = append(list, s.statisticsRoutes()...)
	if s.o.DemoConsole {
		list = append(list, page("/demo", authz.ChooseViewer, shared, c.picker), page("/demo/as/{role}", authz.ChooseViewer, shared, c.become))
	}
	return list
}

// nothing answers that there is nothing, to people as a page.
func nothing(path string, people bool) Route {
	rt := Route{Path: path, Action: authz.UseHub, By: ByNobody, On: shared}
	rt.serve = func(s *Server, rt Route) http.Handler {
		return api.Handle(s.o.Log, s.guard(rt, authz.Principal{}, func(http.ResponseWriter, *http.Request) error {
			return fault.New(fault.NotFound, "There is nothing at this address, or not for this method.")
		}))
	}
	if people {
		rt.By = BySession
		rt.serve = forPeople(func(http.ResponseWriter, *http.Request) error {
			return fault.New(fault.NotFound, "There is nothing at this address.")
		})
	}
	return rt
}
