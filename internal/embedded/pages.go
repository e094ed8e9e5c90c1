package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
)

// The database maps its file into memory and believes what it finds there, also
// in goroutines of its own, where neither a panic nor a fault can be caught. So
// checkPages reads the file beforehand, by plain reads, and looks whether all that
// is reachable in it lies where it may lie.
//
// The file is an array of pages. Two of them, the metas, name the root of a tree
// of pages, whose leaves hold keys with values, or the roots of further trees.

const (
	pageHeaderSize = 16
	elementSize    = 16 // of a branch and of a leaf alike
	metaMagic      = 0xED0CDAED
	metaVersion    = 2
	noFreelist     = ^uint64(0) // the free pages are not written, as etcd wants it

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketLeaf   = 0x01 // the flag of a leaf element whose value is a tree
)

var native = binary.NativeEndian

// pages is a database file that is being read through.
type pages struct {
	file  io.ReaderAt
	size  uint64 // of a page
	count uint64 // how many there are in use
	seen  map[uint64]bool
}

// checkPages returns what is wrong with the structure of a database file.
func checkPages(file io.ReaderAt, length int64) error {
	m, err := newestMeta(file)
	if err != nil {
		return err
	}
	p := &pages{file: file, size: uint64(m.pageSize), count: m.pages, seen: map[uint64]bool{0: true, 1: true}}
	if m.pages > uint64(length)/p.size {
		return fmt.Errorf("%d bytes are missing at its end", m.pages*p.size-uint64(length))
	}
	if m.freelist != noFreelist {
		if _, _, err := p.read(m.freelist, freelistPage); err != nil {
			return err
		}
	}
	return p.tree(m.root, nil, nil)
}

// meta is what a meta page says.
type meta struct {
	pageSize                     uint32
	root, freelist, pages, newer uint64
}

// newestMeta returns the meta page that counts: the newer one of those that are
// whole. The second one is a page further on, and how long a page is says the
// first; where that one is damaged the usual lengths are tried.
func newestMeta(file io.ReaderAt) (meta, error) {
	first, whole := readMeta(file, 0)
	if whole {
		if second, whole := readMeta(file, int64(first.pageSize)); whole && second.newer > first.newer {
			return second, nil
		}
		return first, nil
	}
	for at := int64(1 << 10); at <= 1<<16; at *= 2 {
		if second, whole := readMeta(file, at); whole && int64(second.pageSize) == at {
			return second, nil
		}
	}
	return meta{}, errors.New("it does not begin as a database does")
}

// readMeta reads a meta page, and reports whether it is one that is whole.
func readMeta(file io.ReaderAt, at int64) (m meta, whole bool) {
	b := make([]byte, pageHeaderSize+64)
	if _, err := file.ReadAt(b, at); err != nil {
		return m, false // the file ends before
	}
	b = b[pageHeaderSize:]
	sum := fnv.New64a()
	sum.Write(b[:56])
	m = meta{native.Uint32(b[8:]), native.Uint64(b[16:]), native.Uint64(b[32:]), native.Uint64(b[40:]), native.Uint64(b[48:])}
	return m, native.Uint32(b) == metaMagic && native.Uint32(b[4:]) == metaVersion &&
		native.Uint64(b[56:]) == sum.Sum64() && m.pageSize >= 1<<10 && m.pageSize <= 1<<16
}

// read returns a page, with what it overflows to, and how many elements it has. Its
// kind has to be one of kinds, and no other page may refer to it.
func (p *pages) read(id uint64, kinds uint16) (page []byte, elements int, err error) {
	if id >= p.count {
		return nil, 0, fmt.Errorf("page %d of %d is referred to", id, p.count)
	}
	page = make([]byte, p.size)
	if _, err := p.file.ReadAt(page, int64(id*p.size)); err != nil {
		return nil, 0, err
	}
	kind, overflow := native.Uint16(page[8:]), uint64(native.Uint32(page[12:]))
	if native.Uint64(page) != id || kind == 0 || kind&kinds != kind || id+overflow >= p.count {
		return nil, 0, fmt.Errorf("page %d is no page of its kind", id)
	}
	for n := id; n <= id+overflow; n++ {
		if p.seen[n] {
			return nil, 0, fmt.Errorf("page %d is referred to twice", n)
		}
		p.seen[n] = true
	}
	if overflow > 0 {
		page = make([]byte, p.size*(overflow+1))
		if _, err := p.file.ReadAt(page, int64(id*p.size)); err != nil {
			return nil, 0, err
		}
	}
	elements = int(native.Uint16(page[10:]))
	if kind != freelistPage && pageHeaderSize+elements*elementSize > len(page) {
		return nil, 0, fmt.Errorf("page %d has %d elements, which is more than it can hold", id, elements)
	}
	return page, elements, nil
}

// tree looks at the page id and all below it, whose keys are from low on and below
// high; nil is no bound.
func (p *pages) tree(id uint64, low, high []byte) error {
	page, n, err := p.read(id, branchPage|leafPage)
	if err != nil {
		return err
	}
	if native.Uint16(page[8:]) == leafPage {
		if err := p.leaves(page, n, low, high, false); err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
		return nil
	}
	if n == 0 {
		return fmt.Errorf("page %d: a branch has no twigs", id)
	}
	type twig struct {
		key  []byte
		page uint64
	}
	var twigs []twig
	for i := range n {
		e := pageHeaderSize + i*elementSize
		key, err := part(page, e, uint64(native.Uint32(page[e:])), uint64(native.Uint32(page[e+4:])))
		if err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
		if i > 0 && bytes.Compare(twigs[i-1].key, key) >= 0 || i > 0 && outside(key, low, high) {
			return fmt.Errorf("page %d: its keys are out of order", id)
		}
		twigs = append(twigs, twig{slices.Clone(key), native.Uint64(page[e+8:])})
	}
	for i, t := range twigs {
		end := high
		if i+1 < len(twigs) {
			end = twigs[i+1].key
		}
		if err := p.tree(t.page, t.key, end); err != nil {
			return err
		}
	}
	return nil
}

// leaves looks at the elements of a leaf page, and at the trees that begin there. An
// inline page, which is the value of an element, has no trees below it.
func (p *pages) leaves(page []byte, n int, low, high []byte, inline bool) error {
	var before []byte
	for i := range n {
		e := pageHeaderSize + i*elementSize
		at, keySize, valueSize := uint64(native.Uint32(page[e+4:])), uint64(native.Uint32(page[e+8:])), uint64(native.Uint32(page[e+12:]))
		key, err := part(page, e, at, keySize)
		if err != nil {
			return err
		}
		value, err := part(page, e, at+keySize, valueSize)
		if err != nil {
			return err
		}
		if i > 0 && bytes.Compare(before, key) >= 0 || outside(key, low, high) {
			return errors.New("its keys are out of order")
		}
		before = key
		if native.Uint32(page[e:])&bucketLeaf == 0 {
			continue
		}
		if inline {
			return errors.New("a bucket lies in one that is too small for that")
		}
		if err := p.bucket(value); err != nil {
			return err
		}
	}
	return nil
}

// bucket looks at a tree whose root is named by, or lies in, the value of a leaf.
func (p *pages) bucket(value []byte) error {
	if len(value) < 16 {
		return errors.New("a bucket lacks its head")
	}
	if root := native.Uint64(value); root != 0 {
		return p.tree(root, nil, nil)
	}
	inline := value[16:]
	if len(inline) < pageHeaderSize || native.Uint16(inline[8:]) != leafPage {
		return errors.New("a bucket lacks its page")
	}
	n := int(native.Uint16(inline[10:]))
	if pageHeaderSize+n*elementSize > len(inline) {
		return errors.New("a bucket has more elements than it can hold")
	}
	return p.leaves(inline, n, nil, nil, true)
}

// part returns the bytes that an element of a page refers to, counted from where
// the element itself is.
func part(page []byte, element int, at, size uint64) ([]byte, error) {
	from := uint64(element) + at
	if from+size > uint64(len(page)) {
		return nil, errors.New("an element lies beyond its page")
	}
	return page[from : from+size], nil
}

func outside(key, low, high []byte) bool {
	return low != nil && bytes.Compare(key, low) < 0 || high != nil && bytes.Compare(key, high) >= 0
}
