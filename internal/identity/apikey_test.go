package identity

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"parallax/internal/api"
	"parallax/internal/fault"
)

// A key reads what it was made for, until it expires, is revoked, or its maker
// or its organisation is stopped.
func TestKeysForOpenReads(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		admin := w.join("bank-a", "Admin", OrganisationAdmin)
		other := w.join("bank-b", "Other", OrganisationAdmin)
		analyst := w.join("bank-a", "Analyst", ContributorAnalyst)
		make := func() (Key, string) {
			admin.StepUpAt = w.clock.Now()
			k, text, err := w.MakeKey(ctx, admin, "Dashboard", []string{ReadLog, ReadStatus}, 30*24*time.Hour)
			must(t, err)
			return k, text
		}
		k, text := make()
		must(t, w.CheckKey(ctx, text, ReadLog))
		if err := w.CheckKey(ctx, text, ReadPolicy); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a read that it was not made for: %v", err)
		}
		if err := w.CheckKey(ctx, text+"x", ReadLog); api.StatusOf(err) != http.StatusUnauthorized {
			t.Errorf("another key: %v", err)
		}
		if list, err := w.Keys(ctx, admin); err != nil || len(list) != 1 || list[0].Used.IsZero() {
			t.Errorf("%+v, %v", list, err)
		}
		if list, err := w.Keys(ctx, other); err != nil || len(list) != 0 {
			t.Errorf("another organisation sees %+v, %v", list, err)
		}
		if err := w.RevokeKey(ctx, other, k.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("revoked by another organisation: %v", err)
		}
		must(t, w.RevokeKey(ctx, admin, k.ID))
		if err := w.CheckKey(ctx, text, ReadLog); err == nil {
			t.Error("a revoked key reads")
		}
		_, text = make()
		w.clock.Advance(30 * 24 * time.Hour)
		if err := w.CheckKey(ctx, text, ReadLog); err == nil {
			t.Error("an expired key reads")
		}
		_, text = make()
		must(t, w.deny("gov-1", "suspend", "bank-a"))
		if err := w.CheckKey(ctx, text, ReadLog); err == nil {
			t.Error("the key of a suspended organisation reads")
		}
		w.clock.Advance(time.Second)
		must(t, w.deny("gov-1", "resume", "bank-a"))
		must(t, w.deny("gov-2", "resume", "bank-a"))
		must(t, w.CheckKey(ctx, text, ReadLog))
		must(t, w.Suspend(ctx, AtTheMachine(), admin.Person, "why"))
		if err := w.CheckKey(ctx, text, ReadLog); err == nil {
			t.Error("the key of a suspended person reads")
		}
		stale := other
		stale.StepUpAt = time.Time{}
		for name, try := range map[string]func() error{
			"by an analyst":      func() error { _, _, err := w.MakeKey(ctx, analyst, "x", []string{ReadLog}, time.Hour); return err },
			"without confirming": func() error { _, _, err := w.MakeKey(ctx, stale, "x", []string{ReadLog}, time.Hour); return err },
		} {
			if err := try(); fault.KindOf(err) != fault.Forbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		other.StepUpAt = w.clock.Now()
		for name, try := range map[string]func() error{
			"unknown read": func() error { _, _, err := w.MakeKey(ctx, other, "x", []string{"leads"}, time.Hour); return err },
			"no read":      func() error { _, _, err := w.MakeKey(ctx, other, "x", nil, time.Hour); return err },
			"for ever":     func() error { _, _, err := w.MakeKey(ctx, other, "x", []string{ReadLog}, 10*MaxKeyValid); return err },
		} {
			if err := try(); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Who shows no key reads as everybody does; who shows one must show a good one.
func TestOpenReads(t *testing.T) {
	w := newWorld(t, sqlite(t))
	admin := w.join("bank-a", "Admin", OrganisationAdmin)
	_, text, err := w.MakeKey(t.Context(), admin, "Dashboard", []string{ReadLog}, time.Hour)
	must(t, err)
	h := w.OpenRead(ReadLog, func(http.ResponseWriter, *http.Request) error { return nil })
	for said, want := range map[string]int{"": 200, "Bearer " + text: 200, "Bearer " + text + "x": 401, "Bearer eyJ": 401, "Basic eDp5": 401, text: 401} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if said != "" {
			r.Header.Set("Authorization", said)
		}
		got := 200
		if err := h(httptest.NewRecorder(), r); err != nil {
			got = api.StatusOf(err)
		}
		if got != want {
			t.Errorf("%.12q: %d, want %d", said, got, want)
		}
	}
}
