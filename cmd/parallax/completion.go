package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help says how to use what is printed.
func (completionCmd) Help() string {
	return `bash: source <(parallax completion bash)
zsh:  source <(parallax completion zsh)
fish: parallax completion fish | source`
}

// Run prints the completion script of a shell. It is made from the commands
// themselves, so that none can be forgotten.
func (c *completionCmd) Run(k *kong.Context, std streams) error {
	places := place(k.Model.Node, "")
	switch c.Shell {
	case "fish":
		return fish(std.out, places)
	case "zsh":
		if _, err := fmt.Fprintln(std.out, "autoload -U +X bashcompinit && bashcompinit"); err != nil {
			return err
		}
	}
	return bash(std.out, places)
}

// A spot is a place in the command line with what may follow there.
type spot struct {
	path  string // "desk submit"; empty for the program itself
	words []string
}

func place(n *kong.Node, path string) []spot {
	here := spot{path: path}
	var below []spot
	for _, c := range n.Children {
		if c.Hidden {
			continue
		}
		here.words = append(here.words, c.Name)
		below = append(below, place(c, strings.TrimSpace(path+" "+c.Name))...)
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			here.words = append(here.words, "--"+f.Name)
		}
	}
	return append([]spot{here}, below...)
}

// bash prints a function that finds the longest known path among the words
// before the cursor and offers what may follow it, or else files.
func bash(w io.Writer, places []spot) error {
	var known, offers strings.Builder
	for _, p := range places {
		if p.path != "" {
			fmt.Fprintf(&known, "|%q", p.path)
		}
		fmt.Fprintf(&offers, "    %q) words=%q ;;\n", p.path, strings.Join(p.words, " "))
	}
	_, err := fmt.Fprintf(w, `_parallax() {
  local cur="${COMP_WORDS[COMP_CWORD]}" path="" next words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="${path:+$path }${COMP_WORDS[i]}"
    case "$next" in %s) path="$next" ;; esac
  done
  case "$path" in
%s  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _parallax parallax
`, strings.TrimPrefix(known.String(), "|"), offers.String())
	return err
}

// fish prints one line for each place.
func fish(w io.Writer, places []spot) error {
	var known []string
	for _, p := range places {
		if p.path != "" {
			known = append(known, "'"+p.path+"'")
		}
	}
	if _, err := fmt.Fprintf(w, `function __parallax_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$path $word")
    contains -- $next %s; and set path $next
  end
  test "$path" = "$argv[1]"
end
`, strings.Join(known, " ")); err != nil {
		return err
	}
	for _, p := range places {
		if _, err := fmt.Fprintf(w, "complete -c parallax -n \"__parallax_at '%s'\" -a '%s'\n", p.path, strings.Join(p.words, " ")); err != nil {
			return err
		}
	}
	return nil
}
