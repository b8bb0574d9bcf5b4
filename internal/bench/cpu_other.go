//go:build !unix

package bench

import "time"

const clockName = "wall-clock time (this system gives no process CPU time)"

var began = time.Now()

func spent() (time.Duration, error) { return time.Since(began), nil }
