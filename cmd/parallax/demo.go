package main

import (
	"context"

	"parallax/internal/demo"
)

type demoCmd struct {
	Once   bool   `help:"Run the loop once, open what passes, print a summary and end."`
	JSON   bool   `name:"json" help:"With --once: print the summary as JSON."`
	Fresh  bool   `help:"Feed nothing, to see every page empty."`
	Seed   uint64 `default:"7" help:"Seed of the simulated world; the same seed gives the same counts."`
	Actors int    `default:"10000" help:"Simulated offenders; 100 innocent people stand beside each."`
	Dir    string `type:"path" help:"Keep everything in this new or empty directory; a temporary one, removed at the end, if left out."`
	Listen string `default:"127.0.0.1:0" help:"Loopback address of the start page; port 0 takes a free one."`
}

// Run runs the demonstration until it is done or told to stop.
func (c *demoCmd) Run(ctx context.Context, std streams) error {
	return demo.Run(ctx, demo.Options{Seed: c.Seed, Actors: c.Actors, Once: c.Once, JSON: c.JSON, Fresh: c.Fresh,
		Dir: c.Dir, Listen: c.Listen, Out: std.out, Err: std.err})
}
