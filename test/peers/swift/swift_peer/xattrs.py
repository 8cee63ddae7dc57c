"""Swift keeps the metadata of objects in extended attributes of their files."""

import os
import shutil
import sys
import tempfile


def directory_with_xattrs(bases, say):
    """A new private directory in the first base whose file system has user attributes.

    It can hold what Swift writes for an object: some kilobytes. Says which bases it passed over.
    """
    for base in bases:
        try:
            directory = tempfile.mkdtemp(prefix='k2hdkc-swift-', dir=base)
        except OSError as error:
            say('passed-over', base=base, why=str(error))
            continue
        try:
            os.setxattr(directory, 'user.swift.metadata', b'x' * 1024)
            os.removexattr(directory, 'user.swift.metadata')
            return directory
        except OSError as error:
            shutil.rmtree(directory)
            say('passed-over', base=base, why='no user extended attributes: %s' % error.strerror)
    sys.exit('Swift needs a file system with user extended attributes (ext4, xfs) in one of '
             + ', '.join(bases))
