package lossydisk

import (
	"context"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"parallax/internal/shareddata"
)

// A Disk is mounted while it has power.
type Disk struct {
	t      testing.TB
	dir    string
	rng    *rand.Rand
	model  *model
	server *fuse.Server
}

// Mount puts an empty disk into a folder of the test's own. It skips the test
// where file systems cannot be mounted, or fails it when PARALLAX_REQUIRE lists
// "fuse".
func Mount(t testing.TB, seed uint64) *Disk {
	t.Helper()
	d := &Disk{t: t, dir: t.TempDir(), rng: rand.New(rand.NewPCG(seed, 0)), model: newModel()}
	if err := d.mount(); err != nil {
		if shareddata.Required("fuse") {
			t.Fatalf("FUSE is required (PARALLAX_REQUIRE) but nothing can be mounted: %v", err)
		}
		t.Skipf("skipped: nothing can be mounted here (it takes Linux, /dev/fuse and root): %v", err)
	}
	t.Cleanup(d.unmount)
	return d
}

// Dir is where the disk is mounted.
func (d *Disk) Dir() string { return d.dir }

// Cut takes the power away: from now on everything on the disk fails, and what
// was not synced may be gone. End the programs that use it, then Restore.
func (d *Disk) Cut() { d.model.cut(d.rng) }

// Restore mounts what survived. Nothing may have a file of the disk open.
func (d *Disk) Restore() {
	d.t.Helper()
	d.unmount()
	d.model.restore()
	if err := d.mount(); err != nil {
		d.t.Fatalf("mounting the disk again: %v", err)
	}
}

// Fill leaves room for so many more bytes, Empty takes the limit away.
func (d *Disk) Fill(room int64) {
	d.model.mu.Lock()
	defer d.model.mu.Unlock()
	d.model.room = d.model.used + room
}

// Empty takes away the limit that Fill set.
func (d *Disk) Empty() {
	d.model.mu.Lock()
	defer d.model.mu.Unlock()
	d.model.room = -1
}

// Lie makes every later fsync answer at once and do nothing.
func (d *Disk) Lie() {
	d.model.mu.Lock()
	defer d.model.mu.Unlock()
	d.model.lies = true
}

func (d *Disk) mount() error {
	// The kernel does the mounting itself, as for any file system: no helper
	// program. It keeps no name and no attribute, so that the model is asked.
	var none = new(fs.Options)
	none.MountOptions = fuse.MountOptions{DirectMountStrict: true, FsName: "lossydisk", Name: "lossydisk"}
	none.RootStableAttr = &fs.StableAttr{Ino: rootID}
	server, err := fs.Mount(d.dir, &node{disk: d.model, id: rootID}, none)
	d.server = server
	return err
}

func (d *Disk) unmount() {
	if d.server == nil {
		return
	}
	// A process that a test killed may hold a file for a moment longer.
	if err := d.server.Unmount(); err != nil {
		if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
			d.t.Errorf("unmounting the disk: %v", err)
		}
	}
	d.server = nil
}

// A node is a file or folder as the kernel sees it.
type node struct {
	fs.Inode
	disk *model
	id   uint64
}

var _ interface {
	fs.NodeLookuper
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeCreater
	fs.NodeMkdirer
	fs.NodeUnlinker
	fs.NodeRmdirer
	fs.NodeRenamer
	fs.NodeLinker
	fs.NodeOpener
	fs.NodeReader
	fs.NodeWriter
	fs.NodeFsyncer
	fs.NodeReaddirer
	fs.NodeStatfser
} = (*node)(nil)

func (n *node) child(ctx context.Context, id uint64, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	c := &node{disk: n.disk, id: id}
	if e := c.attr(&out.Attr); e != 0 {
		return nil, e
	}
	return n.NewInode(ctx, c, fs.StableAttr{Mode: out.Mode & syscall.S_IFMT, Ino: id}), 0
}

func (n *node) attr(out *fuse.Attr) syscall.Errno {
	return n.disk.on(n.id, func(x *file) syscall.Errno {
		out.Ino, out.Nlink, out.Owner = n.id, 1, fuse.Owner{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
		out.Mode, out.Size = syscall.S_IFREG|0o600, uint64(len(x.data))
		if x.folder {
			out.Mode = syscall.S_IFDIR | 0o700
		}
		out.Blocks = (out.Size + 511) / 512
		return 0
	})
}

// Lookup implements fs.NodeLookuper.
func (n *node) Lookup(ctx context.Context, s string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	var id uint64
	e := n.disk.on(n.id, func(x *file) syscall.Errno {
		if id = x.names[s]; id == 0 {
			return syscall.ENOENT
		}
		return 0
	})
	if e != 0 {
		return nil, e
	}
	return n.child(ctx, id, out)
}

// Getattr implements fs.NodeGetattrer.
func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return n.attr(&out.Attr)
}

// Setattr implements fs.NodeSetattrer; only sizes are kept.
func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if e := n.disk.write(n.id, change{at: int64(size)}); e != 0 {
			return e
		}
	}
	return n.attr(&out.Attr)
}

// Create implements fs.NodeCreater.
func (n *node) Create(ctx context.Context, s string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	id, e := n.disk.make(n.id, s, false)
	if e != 0 {
		return nil, nil, 0, e
	}
	c, e := n.child(ctx, id, out)
	return c, nil, 0, e
}

// Mkdir implements fs.NodeMkdirer.
func (n *node) Mkdir(ctx context.Context, s string, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	id, e := n.disk.make(n.id, s, true)
	if e != 0 {
		return nil, e
	}
	return n.child(ctx, id, out)
}

// Unlink implements fs.NodeUnlinker.
func (n *node) Unlink(_ context.Context, s string) syscall.Errno { return n.disk.remove(n.id, s) }

// Rmdir implements fs.NodeRmdirer.
func (n *node) Rmdir(_ context.Context, s string) syscall.Errno { return n.disk.remove(n.id, s) }

// Rename implements fs.NodeRenamer.
func (n *node) Rename(_ context.Context, old string, to fs.InodeEmbedder, s string, flags uint32) syscall.Errno {
	target, ok := to.(*node)
	if !ok || flags != 0 {
		return syscall.ENOTSUP
	}
	return n.disk.move(n.id, old, target.id, s)
}

// Link implements fs.NodeLinker.
func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, s string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	t, ok := target.(*node)
	if !ok {
		return nil, syscall.ENOTSUP
	}
	if e := n.disk.link(t.id, n.id, s); e != 0 {
		return nil, e
	}
	return n.child(ctx, t.id, out)
}

// Open implements fs.NodeOpener.
func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&syscall.O_TRUNC != 0 {
		return nil, 0, n.disk.write(n.id, change{})
	}
	return nil, 0, n.disk.on(n.id, func(*file) syscall.Errno { return 0 })
}

// Read implements fs.NodeReader.
func (n *node) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	var got []byte
	e := n.disk.on(n.id, func(x *file) syscall.Errno {
		if off < int64(len(x.data)) {
			got = dest[:copy(dest, x.data[off:])]
		}
		return 0
	})
	return fuse.ReadResultData(got), e
}

// Write implements fs.NodeWriter.
func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	// A copy: the kernel's buffer is used again.
	if e := n.disk.write(n.id, change{at: off, data: append([]byte{}, data...)}); e != 0 {
		return 0, e
	}
	return uint32(len(data)), 0
}

// Fsync implements fs.NodeFsyncer, for files and folders.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return n.disk.sync(n.id) }

// Readdir implements fs.NodeReaddirer.
func (n *node) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	var list []fuse.DirEntry
	e := n.disk.on(n.id, func(x *file) syscall.Errno {
		for s, id := range x.names {
			mode := uint32(syscall.S_IFREG)
			if n.disk.files[id].folder {
				mode = syscall.S_IFDIR
			}
			list = append(list, fuse.DirEntry{Name: s, Ino: id, Mode: mode})
		}
		return 0
	})
	return fs.NewListDirStream(list), e
}

// Statfs implements fs.NodeStatfser.
func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	room := int64(1 << 40)
	if n.disk.room >= 0 {
		room = max(0, n.disk.room-n.disk.used)
	}
	out.Bsize, out.Frsize, out.NameLen = sector, sector, 255
	out.Bfree, out.Blocks = uint64(room)/sector, uint64(n.disk.used+room)/sector+1
	out.Bavail = out.Bfree
	return 0
}
