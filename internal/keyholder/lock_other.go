//go:build !unix

package keyholder

import "os"

// lockFile does nothing where the system offers no advisory locks; the
// operator's service manager must keep one process per state file.
func lockFile(*os.File) error { return nil }
