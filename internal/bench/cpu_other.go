//go:build !unix

package bench

import (
	"errors"
	"time"
)

const clockName = "none"

// spent refuses: wall-clock time would measure whatever else the machine does.
func spent() (time.Duration, error) {
	return 0, errors.New("this system does not tell a process its CPU time; measure on Linux, a BSD or macOS")
}
