//go:build !linux && !darwin

package store

import "math"

// free knows nothing here.
func free(string) int64 { return math.MaxInt64 }
