# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# modules.sh: take kernel modules out of an unpacked kernel for an initrd. Sourced.
#
# The order of loading is modules.dep's: for each module, its dependencies from last to first.
# Debian ships modules plain (6.1) or as .ko.xz (6.12); an initrd gets them plain, so that
# finit_module(2) needs no help.

# module_order DIR NAME...: paths below DIR (lib/modules/RELEASE), in the order to load them.
# A module that is built into the kernel is left out, one that does not exist is an error.
module_order() {
	local dir=$1
	shift
	awk -v names="$*" '
	function key(path) {
		sub(/.*\//, "", path)
		sub(/\.ko.*/, "", path)
		gsub(/-/, "_", path)
		return path
	}
	function emit(path) {
		if (!(path in seen))
			print path
		seen[path] = 1
	}
	FILENAME ~ /builtin$/ { builtin[key($0)] = 1; next }
	{ file = $1; sub(/:$/, "", file); line[key(file)] = file " " substr($0, length($1) + 2) }
	END {
		n = split(names, want, " ")
		for (i = 1; i <= n; i++) {
			k = key(want[i])
			if (k in builtin)
				continue
			if (!(k in line)) {
				print "modules: no module " want[i] > "/dev/stderr"
				exit 1
			}
			for (j = split(line[k], part, " "); j > 0; j--)
				emit(part[j])
		}
	}' "$dir/modules.builtin" "$dir/modules.dep"
}

# module_copy DIR PATH TO: the module DIR/PATH, uncompressed, as file TO.
module_copy() {
	case $2 in
	*.xz)	xz -dc "$1/$2" >"$3" ;;
	*.gz)	gzip -dc "$1/$2" >"$3" ;;
	*.zst)	zstd -qdc "$1/$2" >"$3" ;;
	*)	cp "$1/$2" "$3" ;;
	esac
}

# initrd_pack DIR OUT: an initrd (cpio, newc) of DIR. Uncompressed: under emulation reading is
# cheap and inflating is not.
initrd_pack() {
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$2.new"
	mv "$2.new" "$2"
}
