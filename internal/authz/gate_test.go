package authz

import (
	"bytes"
	"log/slog"
	"testing"
)

func TestPoliciesLoad(t *testing.T) {
	var buf bytes.Buffer
	if _, err := New(slog.New(slog.NewTextHandler(&buf, nil))); err != nil {
		t.Fatal(err)
	}
}
