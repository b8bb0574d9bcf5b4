package main

import (
	"bytes"
	"strings"
	"testing"
)

// The console in which visitors choose who they are refuses to start where it
// could be reached by others or be taken for a real one.
func TestDemoConsoleRefusesToStart(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"without --demo":    {[]string{"--demo-console"}, "add --demo"},
		"every address":     {[]string{"--demo", "--demo-console", "--listen", ":7100"}, "loopback"},
		"a public address":  {[]string{"--demo", "--demo-console", "--listen", "192.0.2.1:7100"}, "loopback"},
		"a name":            {[]string{"--demo", "--demo-console", "--listen", "hub.example:7100"}, "loopback"},
		"home without demo": {[]string{"--home", "http://127.0.0.1:1/"}, "add --demo"},
		"home is no URL":    {[]string{"--demo", "--home", "//elsewhere"}, "whole address"},
		"home is a script":  {[]string{"--demo", "--home", "javascript:alert(1)"}, "whole address"},
	} {
		var out, errs bytes.Buffer
		code := run(append([]string{"hub", "serve", "--dir", dir}, c.args...), streams{nil, &out, &errs})
		if code != exitBad || !strings.Contains(errs.String(), c.want) || out.Len() > 0 {
			t.Errorf("%s: exit code %d, %q", name, code, errs.String())
		}
	}
	for _, listen := range []string{"127.0.0.1:0", "[::1]:7100", "localhost:7100"} {
		if !loopback(listen) {
			t.Errorf("%s is not taken for a loopback address", listen)
		}
	}
}
