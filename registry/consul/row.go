package consul

import (
	"cmp"
	"hash/maphash"

	"github.com/rollcall-go/micro/internal/consul"
	"github.com/rollcall-go/micro/internal/consul/tags"
	"github.com/rollcall-go/micro/internal/record"
	"github.com/rollcall-go/micro/registry"
)

// row is an instance as the catalog has it, decoded.
type row struct {
	service *registry.Service // with its one node; shared and immutable
	sum     uint64            // of what it was decoded from
	size    int               // of its tags, decompressed
	health  health
	token   token
}

func (r *row) id() record.ID {
	return record.ID{Service: r.service.Name, Node: r.service.Nodes[0].Id}
}

// health is whether a node is to be called, and if not, why.
type health int

const (
	well    health = iota
	ill            // a check is critical
	leaving        // its owner said farewell
	paused         // an operator set the maintenance mode
)

// token is where the record of a node was, to find out more when it is gone.
type token struct{ service, instance, agent, agentID string }

// healthOf returns what the checks of an instance say.
func healthOf(e consul.Entry) health {
	h := well
	for _, c := range e.Checks {
		if c.Status != consul.Critical {
			continue
		}
		switch {
		case saidFarewell(e):
			return leaving
		case c.Maintained():
			h = paused
		case h == well:
			h = ill
		}
	}
	return h
}

// seed makes sums of one process comparable.
var seed = maphash.MakeSeed()

// sumOf sums up what a row is decoded from.
func sumOf(e consul.Entry) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	put := func(text string) {
		maphash.WriteComparable(&h, len(text))
		_, _ = h.WriteString(text)
	}
	for _, text := range []string{e.Service.Service, e.Service.ID, e.Service.Address, e.Node.Address} {
		put(text)
	}
	maphash.WriteComparable(&h, e.Service.Port)
	for _, tag := range e.Service.Tags {
		put(tag)
	}
	return h.Sum64()
}

// decoder makes rows of entries. It takes over from the rows before what did not
// change: of a service of a thousand nodes, mostly one did.
type decoder struct {
	before  map[record.ID]*row
	skipped uint64
	tags    tags.Decoder
	most    int // bytes; maxTags unless a test says otherwise
}

// maxTags bounds what the tags of all nodes of a service hold, decompressed, in bytes.
const maxTags = consul.MaxAnswer

// rows returns the rows of a service, one for each node. Those beyond maxTags are
// skipped. Where two agents have a node
// of one id, as while it moves from one to the other, the one that is well counts, and
// of two the younger one.
func (d *decoder) rows(name string, entries []consul.Entry) map[record.ID]*row {
	bySum := make(map[uint64]*row, len(d.before))
	for _, r := range d.before {
		bySum[r.sum] = r
	}
	rows := make(map[record.ID]*row, len(entries))
	created := make(map[record.ID]uint64)
	size, most := 0, cmp.Or(d.most, maxTags)
	for _, e := range entries {
		if e.Service.Service != name {
			continue
		}
		r := &row{sum: sumOf(e), health: healthOf(e), token: token{name, e.Service.ID, e.Node.Node, e.Node.ID}}
		if known := bySum[r.sum]; known != nil {
			r.service, r.size = known.service, known.size
		} else if size >= most {
			d.skipped++
			continue
		} else if r.service, r.size = d.decode(e); r.service == nil {
			continue
		}
		size += r.size
		id := r.id()
		other := rows[id]
		if other != nil && (other.health == well && r.health != well ||
			(other.health == well) == (r.health == well) && created[id] > e.Service.CreateIndex) {
			continue
		}
		rows[id], created[id] = r, e.Service.CreateIndex
	}
	return rows
}

// decode returns the record of an instance, nil if it cannot be read, and the size of
// its tags.
func (d *decoder) decode(e consul.Entry) (*registry.Service, int) {
	content, err := d.tags.Decode(e.Service.Tags)
	if err != nil {
		d.skipped++
		return nil, 0
	}
	d.skipped += uint64(content.Skipped)
	id := content.NodeID
	if id == "" {
		id = e.Service.ID
	}
	address := e.Service.Address
	if address == "" {
		address = e.Node.Address
	}
	s := &registry.Service{
		Name: e.Service.Service, Version: content.Version, Metadata: content.Metadata, Endpoints: content.Endpoints,
		Nodes: []*registry.Node{{Id: id, Address: joinAddress(address, e.Service.Port), Metadata: content.Node}},
	}
	if record.CheckStored(s, s.Nodes[0]) != nil {
		d.skipped++
		return nil, 0
	}
	return s, content.Size
}

// listed returns the records of the rows that are to be called, in no order.
func listed(rows map[record.ID]*row) []*registry.Service {
	all := make([]*registry.Service, 0, len(rows))
	for _, r := range rows {
		if r.health == well {
			all = append(all, r.service)
		}
	}
	return all
}
