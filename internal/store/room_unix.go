//go:build linux || darwin

package store

import (
	"math"
	"syscall"
)

// free gives how many bytes fit on the disk that a folder lies on, for a
// program without privileges.
func free(dir string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil || s.Blocks == 0 {
		return math.MaxInt64
	}
	return int64(s.Bavail) * int64(s.Bsize)
}
