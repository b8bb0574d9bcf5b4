// Package demo runs the whole of Parallax on one machine: a hub, three key
// holders with their ceremony, and the desks of a simulated ecosystem, each a
// process of this same program, as members would run them. It feeds the desks
// their simulated exports, moves a clock that all of them share, and serves a
// start page that a visitor follows.
//
// The demonstration itself holds no key of anybody: what it does, it does by
// starting the command that a person of that role would type. Only the scorer
// and the guide of the tour read the simulation's truth. Everything listens on
// loopback addresses and dies with the demonstration.
package demo
