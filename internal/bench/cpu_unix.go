//go:build unix

package bench

import (
	"syscall"
	"time"
)

// clockName says what a figure measures on this system.
const clockName = "process CPU time"

// spent is the CPU time that the process has used, all threads, user and system.
func spent() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
