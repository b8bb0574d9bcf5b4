package web

import (
	"net/http/httptest"
	"testing"
)

func TestCSVHoldsNoFormula(t *testing.T) {
	w := httptest.NewRecorder()
	if err := CSV(w, "a b.csv", [][]string{{"=1+1", "-12.5", "-cmd", "+3", "@x", "plain", "\tx"}}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Body.String(), "'=1+1,-12.5,'-cmd,'+3,'@x,plain,'\tx\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="a-b.csv"` {
		t.Errorf("name %q", got)
	}
}
