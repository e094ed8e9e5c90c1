package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-go/micro/registry"
)

// A file has two lines: what it is, in which version of the format, with the
// checksum of the second line; and the content as JSON.
const (
	magic   = "rollcall-services"
	version = "1"
)

type content struct {
	Registry  string              `json:"registry"`
	Service   string              `json:"service"`
	Confirmed time.Time           `json:"confirmed"`
	Services  []*registry.Service `json:"services"`
}

func encode(r content) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s %s %s\n%s\n", magic, version, checksum(body), body), nil
}

func checksum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func decode(text []byte) (content, error) {
	head, body, _ := bytes.Cut(text, []byte("\n"))
	words := bytes.Fields(head)
	switch {
	case len(words) != 3 || string(words[0]) != magic:
		return content{}, errors.New("it is not a file of services")
	case string(words[1]) != version:
		return content{}, fmt.Errorf("it has version %q of the format, which has to be %q", words[1], version)
	case string(words[2]) != checksum(body):
		return content{}, errors.New("it is damaged: the checksum differs")
	}
	var r content
	if err := json.Unmarshal(body, &r); err != nil {
		return content{}, fmt.Errorf("it cannot be read: %w", err)
	}
	for _, s := range r.Services {
		if s == nil || s.Name != r.Service {
			return content{}, fmt.Errorf("it lists another service than %q", r.Service)
		}
		for _, n := range s.Nodes {
			if n == nil {
				return content{}, errors.New("it lists a node that is none")
			}
		}
	}
	return r, nil
}
