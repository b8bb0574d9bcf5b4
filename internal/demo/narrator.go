package demo

import (
	"fmt"
	"io"
	"time"

	"parallax/internal/clock"
)

// A narrator says what is happening and how long it took.
type narrator struct {
	out     io.Writer
	clock   clock.Clock
	began   time.Time
	seconds map[string]float64
}

func newNarrator(out io.Writer) *narrator {
	c := clock.System()
	return &narrator{out: out, clock: c, began: c.Now(), seconds: make(map[string]float64)}
}

// step does one step, says so, and keeps its time under a short name.
func (n *narrator) step(name, what string, do func() error) error {
	fmt.Fprintf(n.out, "%-58s", what+" ...")
	began := n.clock.Now()
	err := do()
	took := n.clock.Now().Sub(began).Seconds()
	n.seconds[name] += took
	if err != nil {
		fmt.Fprintf(n.out, " failed after %.1f s\n", took)
		return err
	}
	fmt.Fprintf(n.out, " %5.1f s\n", took)
	return nil
}

func (n *narrator) total() float64 { return n.clock.Now().Sub(n.began).Seconds() }
