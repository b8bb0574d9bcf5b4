package main

import "parallax/internal/sim"

// simCmd makes and scores simulated ecosystems.
type simCmd struct {
	Write simWrite `cmd:"" default:"withargs" help:"Write each organisation's export and the truth file."`
	Score simScore `cmd:"" help:"Score what the organisations find alone and together."`
}

type simWrite struct {
	Seed   uint64  `default:"1" help:"Seed; the same seed gives the same bytes."`
	Actors int     `default:"10000" help:"Simulated offenders; 100 innocent people stand beside each."`
	Reuse  float64 `default:"0.6" help:"Chance that a new account takes the main e-mail or phone; for sweeps."`
	Hazard float64 `default:"1" help:"Multiplies every chance of being noticed; for sweeps, 1 is the default world."`
	Out    string  `required:"" type:"path" help:"Directory for the files; made if it does not exist."`
}

// Run writes a world.
func (c *simWrite) Run(std streams) error {
	p := sim.DefaultParams(c.Seed, c.Actors)
	p.Reuse, p.HazardScale = c.Reuse, c.Hazard
	return sim.RunWrite(std.out, p, c.Out)
}

type simScore struct {
	Dir  string `required:"" type:"path" help:"Directory that sim wrote."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run scores a world.
func (c *simScore) Run(std streams) error { return sim.RunScore(std.out, c.Dir, c.JSON) }
