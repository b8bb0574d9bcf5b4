package lossydisk

import (
	"maps"
	"math/rand/v2"
	"sync"
	"syscall"
)

// sector is the unit that a disk writes whole or not at all, in bytes.
const sector = 512

// rootID is the folder that is mounted.
const rootID = 1

// A model is the content of the disk: for each file and folder what programs
// see and what is sure to be there after a power cut.
type model struct {
	mu    sync.Mutex
	files map[uint64]*file
	next  uint64
	names []rename // changes of names that no fsync covers yet, oldest first
	used  int64    // bytes that files hold
	room  int64    // bytes that fit; below 0: no limit
	dead  bool     // the power is off: everything fails
	lies  bool     // fsync answers at once and does nothing
}

type file struct {
	folder bool
	names  map[string]uint64 // of a folder: what programs see
	kept   map[string]uint64 // of a folder: what survives
	data   []byte            // of a file: what programs see
	disk   []byte            // of a file: what survives
	since  []change          // of a file: from disk to data, oldest first
}

// A change is a write at an offset or, where data is nil, another size.
type change struct {
	at   int64
	data []byte
}

// A rename is names in folders that change together; 0 is no file.
type rename []name

type name struct {
	folder uint64
	name   string
	id     uint64
}

func newModel() *model {
	return &model{next: rootID, room: -1, files: map[uint64]*file{rootID: newFolder()}}
}

func newFolder() *file {
	return &file{folder: true, names: make(map[string]uint64), kept: make(map[string]uint64)}
}

// on runs f on a file while the disk has power.
func (m *model) on(id uint64, f func(*file) syscall.Errno) syscall.Errno {
	m.mu.Lock()
	defer m.mu.Unlock()
	x, ok := m.files[id]
	if m.dead || !ok {
		return syscall.EIO
	}
	return f(x)
}

// make puts a new file or folder under a name that is free.
func (m *model) make(folder uint64, s string, isFolder bool) (id uint64, e syscall.Errno) {
	e = m.on(folder, func(d *file) syscall.Errno {
		if _, there := d.names[s]; there {
			return syscall.EEXIST
		}
		m.next++
		id = m.next
		if m.files[id] = new(file); isFolder {
			m.files[id] = newFolder()
		}
		m.rename(rename{{folder, s, id}})
		return 0
	})
	return id, e
}

func (m *model) remove(folder uint64, s string) syscall.Errno {
	return m.on(folder, func(d *file) syscall.Errno {
		id, there := d.names[s]
		if !there {
			return syscall.ENOENT
		}
		if len(m.files[id].names) > 0 {
			return syscall.ENOTEMPTY
		}
		m.rename(rename{{folder, s, 0}})
		return 0
	})
}

func (m *model) move(from uint64, old string, to uint64, s string) syscall.Errno {
	return m.on(from, func(d *file) syscall.Errno {
		id, there := d.names[old]
		if !there {
			return syscall.ENOENT
		}
		m.rename(rename{{from, old, 0}, {to, s, id}})
		return 0
	})
}

// link gives a file one more name, which must be free.
func (m *model) link(id, folder uint64, s string) syscall.Errno {
	return m.on(folder, func(d *file) syscall.Errno {
		if _, there := d.names[s]; there {
			return syscall.EEXIST
		}
		m.rename(rename{{folder, s, id}})
		return 0
	})
}

func (m *model) rename(r rename) {
	for _, n := range r {
		set(m.files[n.folder].names, n)
	}
	m.names = append(m.names, r)
}

func set(names map[string]uint64, n name) {
	if n.id == 0 {
		delete(names, n.name)
		return
	}
	names[n.name] = n.id
}

func (m *model) write(id uint64, c change) syscall.Errno {
	return m.on(id, func(x *file) syscall.Errno {
		before := int64(len(x.data))
		if grows := c.at + int64(len(c.data)) - before; m.room >= 0 && grows > 0 && m.used+grows > m.room {
			return syscall.ENOSPC
		}
		x.data = c.apply(x.data)
		x.since = append(x.since, c)
		m.used += int64(len(x.data)) - before
		return 0
	})
}

func (c change) apply(to []byte) []byte {
	end := c.at + int64(len(c.data))
	if grow := end - int64(len(to)); grow > 0 {
		to = append(to, make([]byte, grow)...)
	}
	if c.data == nil {
		return to[:c.at]
	}
	copy(to[c.at:], c.data)
	return to
}

// sync makes sure of what programs see of a file, or of the names in a folder.
// It says nothing about the name of the file itself.
func (m *model) sync(id uint64) syscall.Errno {
	return m.on(id, func(x *file) syscall.Errno {
		if m.lies {
			return 0
		}
		for _, c := range x.since {
			x.disk = c.apply(x.disk)
		}
		x.since = nil
		if x.folder {
			m.keep(func(r rename) bool { return r.touches(id) })
		}
		return 0
	})
}

// keep makes sure of some changes of names, in their order.
func (m *model) keep(which func(rename) bool) {
	var left []rename
	for _, r := range m.names {
		if !which(r) {
			left = append(left, r)
			continue
		}
		for _, n := range r {
			set(m.files[n.folder].kept, n)
		}
	}
	m.names = left
}

func (r rename) touches(folder uint64) bool {
	for _, n := range r {
		if n.folder == folder {
			return true
		}
	}
	return false
}

// cut takes the power away. Of the unsure changes of names an arbitrary number
// of the oldest survives, of the unsure writes arbitrary sectors; how many is
// drawn anew at each cut, so that some lose all and some nothing.
func (m *model) cut(rng *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
	survive := rng.IntN(len(m.names) + 1)
	m.keep(func(rename) bool { survive--; return survive >= 0 })
	m.names = nil
	share := []float64{0, 0, 0.5, 0.9, 1}[rng.IntN(5)]
	for id := range m.next + 1 { // in order, so that a seed gives one outcome
		if x, ok := m.files[id]; ok && !x.folder {
			x.lose(rng, share)
		} else if ok {
			x.names = maps.Clone(x.kept)
		}
	}
}

func (x *file) lose(rng *rand.Rand, share float64) {
	for _, c := range x.since {
		if c.data == nil {
			if rng.Float64() < share {
				x.disk = c.apply(x.disk)
			}
			continue
		}
		for at := int64(0); at < int64(len(c.data)); {
			end := min(int64(len(c.data)), at+sector-(c.at+at)%sector)
			if rng.Float64() < share {
				x.disk = change{c.at + at, c.data[at:end]}.apply(x.disk)
			}
			at = end
		}
	}
	x.since, x.data = nil, append([]byte(nil), x.disk...)
}

// restore gives the power back. Files without a name are gone.
func (m *model) restore() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead, m.used = false, 0
	named := map[uint64]*file{rootID: m.files[rootID]}
	m.gather(rootID, named)
	m.files = named
}

func (m *model) gather(folder uint64, named map[uint64]*file) {
	for _, id := range m.files[folder].names {
		if _, ok := named[id]; ok {
			continue
		}
		x := m.files[id]
		named[id] = x
		m.used += int64(len(x.data))
		if x.folder {
			m.gather(id, named)
		}
	}
}
