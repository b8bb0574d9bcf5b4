package law

import (
	"crypto/ed25519"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"parallax/internal/fault"
)

//go:embed data/simulated.yaml
var simulated []byte

// SimulatedText is the simulated overlay as its file has it.
func SimulatedText() []byte { return simulated }

// Simulated is the simulated overlay, signed by two counsel who do not exist,
// for demonstrations and tests. Their keys are made from random and forgotten.
// Opening ids stand for the one opening decision of the overlay.
func Simulated(random io.Reader, openings ...string) (Files, error) {
	text := string(simulated)
	if len(openings) > 0 {
		var lines []string
		for _, line := range strings.Split(text, "\n") {
			if !strings.Contains(line, "id: basis-1,") {
				lines = append(lines, line)
				continue
			}
			for _, id := range openings {
				lines = append(lines, strings.Replace(line, "id: basis-1,", fmt.Sprintf("id: %q,", id), 1))
			}
		}
		text = strings.Join(lines, "\n")
	}
	files := Files{Overlay: File{"simulated.yaml", []byte(text)}}
	st, err := State(files.Overlay.Raw, builtIn, "simulated.2", "2020-01-01", "", "simulated: no counsel reviewed this")
	if err != nil {
		return files, err
	}
	var p Publication
	var counsel []Counsel
	for _, id := range []string{"simulated-counsel-a", "simulated-counsel-b"} {
		pub, key, err := ed25519.GenerateKey(random)
		if err != nil {
			return files, err
		}
		if p, err = p.Sign(st, id, key); err != nil {
			return files, err
		}
		counsel = append(counsel, Counsel{ID: id, Entity: "simulated", Key: pub})
	}
	for _, f := range []struct {
		to   *File
		name string
		v    any
	}{{&files.Published, "simulated-published.json", p}, {&files.Counsel, "simulated-counsel.json", counsel}} {
		raw, err := json.Marshal(f.v)
		if err != nil {
			return files, fault.Wrap(fault.Internal, "the simulated publication could not be written", err)
		}
		*f.to = File{f.name, raw}
	}
	return files, nil
}
