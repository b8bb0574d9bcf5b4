package desk

import (
	"bytes"
)

// magicBytes is how much of a file is read before it is known not to be media.
const magicBytes = 512

// A magic is how files of a kind begin, or what stands at an offset in them.
type magic struct {
	at   int
	head string
	what string
}

// magics are media, archives and documents: files that are no table. Where two
// letters alone would also begin a heading, more of the format is asked for.
var magics = []magic{
	{0, "\xff\xd8\xff", "an image"}, {0, "\x89PNG", "an image"}, {0, "GIF8", "an image"}, {6, "\x00\x00\x00\x00", "an image"},
	{0, "II*\x00", "an image"}, {0, "MM\x00*", "an image"}, {0, "\xff\x0a", "an image"}, {0, "\x00\x00\x00\x0cJXL ", "an image"},
	{0, "8BPS", "an image"}, {0, "RIFF", "a media file"}, {0, "\x1aE\xdf\xa3", "a media file"}, {4, "ftyp", "a media file"},
	{0, "OggS", "a media file"}, {0, "fLaC", "a media file"}, {0, "FLV\x01", "a media file"}, {0, "\x30\x26\xb2\x75", "a media file"},
	{0, "\x00\x00\x01\xba", "a media file"}, {0, "\x00\x00\x01\xb3", "a media file"}, {0, "\xff\xfb", "a media file"},
	{0, "ID3\x02", "a media file"}, {0, "ID3\x03", "a media file"}, {0, "ID3\x04", "a media file"},
	{0, "%PDF", "a PDF document"}, {0, "PK\x03\x04", "an archive or spreadsheet"}, {0, "PK\x05\x06", "an archive"},
	{0, "\x1f\x8b", "a compressed file"}, {0, "BZh91AY", "a compressed file"}, {0, "\xfd7zXZ", "a compressed file"},
	{0, "\x28\xb5\x2f\xfd", "a compressed file"}, {0, "7z\xbc\xaf", "an archive"}, {0, "Rar!\x1a", "an archive"},
	{257, "ustar", "an archive"}, {0, "\xd0\xcf\x11\xe0", "an office document"}, {0, "{\\rtf", "an office document"},
	{0, "SQLite format 3", "a database"}, {0, "\x7fELF", "a program"}, {0, "MZ\x90\x00", "a program"},
}

func (m magic) is(head []byte) bool {
	if len(head) < m.at || !bytes.HasPrefix(head[m.at:], []byte(m.head)) {
		return false
	}
	// A bitmap is "BM", its size and then four zero bytes.
	return m.at != 6 || bytes.HasPrefix(head, []byte("BM"))
}

// refuse recognises what must never be read on: media, other encodings, binary.
func refuse(head []byte) error {
	for _, m := range magics {
		if m.is(head) {
			return invalid("line 1, column 1: this is %s, not a table; export the records as CSV or NDJSON in UTF-8 (material itself never belongs here). Nothing of it was kept", m.what)
		}
	}
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(head, []byte(mark)) {
			return utf16("")
		}
	}
	if i := bytes.IndexByte(head, 0); i >= 0 {
		if i < 4 {
			return utf16(" without a mark")
		}
		return invalid("line %d: the file contains a NUL byte and is not a text file", 1+bytes.Count(head[:i], []byte("\n")))
	}
	return nil
}

func utf16(how string) error {
	return invalid("line 1, column 1: the file is in UTF-16 or UTF-32%s; save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\") and try again", how)
}
