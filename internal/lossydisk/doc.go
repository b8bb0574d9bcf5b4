// Package lossydisk is a disk for tests that loses what a real one may lose
// when its power is cut: every write that no fsync covers, sector by sector, and
// every name that no fsync of its folder covers. It also runs full, and it can
// lie about fsync, so that a test can show that it would notice.
//
// The disk is mounted as a file system (FUSE, Linux, as root) and served by the
// test's own process. A program under test must be another process: a page
// fault on a file that the same process serves can stop that process for good.
//
// Only tests import it.
package lossydisk
