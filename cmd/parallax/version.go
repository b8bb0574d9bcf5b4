package main

import (
	"fmt"
	"runtime/debug"
	"strings"
)

type versionCmd struct {
	JSON bool `name:"json" help:"Print as JSON."`
}

// A stamp is what the binary says of itself.
type stamp struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Changed  bool   `json:"changed"` // built from a tree that differs from its commit
	Time     string `json:"commit_time,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Run prints which build this is, as whoever compares it with a published hash
// or reports a fault needs it.
func (c *versionCmd) Run(std streams) error {
	b := thisBuild()
	if c.JSON {
		return printJSON(std.out, b)
	}
	line := "parallax " + b.Version
	if b.Commit != "" {
		line += ", commit " + b.Commit + " of " + b.Time
	}
	if b.Changed {
		line += ", changed since"
	}
	_, err := fmt.Fprintf(std.out, "%s, %s, %s\n", line, b.Go, b.Platform)
	return err
}

func thisBuild() stamp {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return stamp{Version: "unknown"}
	}
	set := make(map[string]string)
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	return stamp{Version: info.Main.Version, Commit: set["vcs.revision"], Changed: set["vcs.modified"] == "true", Time: set["vcs.time"],
		Go: info.GoVersion, Platform: strings.Trim(set["GOOS"]+"/"+set["GOARCH"], "/")}
}
