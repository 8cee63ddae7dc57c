# What the tools of the stand-ins share: options, the ini, and the way to the shared memory.
package node;
use strict;

our $problem = '';

# One leading dash, any case, a value is the next word unless that begins with a dash.
sub options {
    my @words = @_;
    my %option;
    for my $index (0 .. $#words) {
        next unless $words[$index] =~ /^-(.*)/;
        my $name = lc $1;
        my $next = $words[ $index + 1 ];
        $option{$name} = defined $next && $next !~ /^-/ ? $next : '';
    }
    return %option;
}

# The ini as (GROUP, control port) of its self node, or () when chmpx would refuse the file.
sub identity {
    my ($option) = @_;
    my $file = defined $option->{conf} ? $option->{conf} : $ENV{CHMCONFFILE};
    $problem = 'no configuration';
    return unless defined $file && $file =~ /\.ini$/ && open my $ini, '<', $file;
    my (%global, @servers, @slaves, $current);
    while (my $line = <$ini>) {
        $line =~ s/^[ \t\r]+|[ \t\r\n]+$//g;
        next if $line eq '' || $line =~ /^#/;
        if ($line =~ /^\[(.*)\]$/) {
            $current = $1 eq 'GLOBAL' ? \%global : {};
            push @servers, $current if $1 eq 'SVRNODE';
            push @slaves, $current if $1 eq 'SLVNODE';
            next;
        }
        next unless $current && $line =~ /^([^=]*?)[ \t]*=[ \t]*(.*)$/;
        my ($key, $value) = ($1, $2);
        $value =~ s/^"(.*?)".*$/$1/ || $value =~ s/^'(.*?)'.*$/$1/ || $value =~ s/[ \t]*#.*$//;
        $current->{$key} = $value;
    }
    $problem = "configuration file($file) is not usable.";
    return unless @slaves && defined $global{GROUP} && $global{FILEVERSION} && $global{DELIVERMODE};
    return if defined $global{MQACK} && $global{MQACK} !~ /^(on|off|yes|no)$/i;
    my $mode = lc($global{MODE} || 'server');
    return if $mode !~ /^(server|slave)$/;
    my $port = $option->{ctlport} || $global{SELFCTLPORT};
    my $cuk = defined $option->{cuk} ? $option->{cuk} : $global{SELFCUK};
    for my $server ($mode eq 'slave' ? @slaves : @servers) {
        my $own = defined $server->{CTLPORT} ? $server->{CTLPORT} : $global{CTLPORT};
        next unless defined $port && defined $own && $own eq $port;
        next unless (defined $server->{CUK} ? $server->{CUK} : '') eq (defined $cuk ? $cuk : '');
        return ($global{GROUP}, $own);
    }
    return;
}

# The text in the shared memory of this node, or undef when no living chmpx owns it.
sub memory {
    my ($option) = @_;
    my ($group, $port) = identity($option) or return;
    my $base = $ENV{ANTPICKAX_STANDIN_DIR} || (-d '/var/lib/antpickax' ? '/var/lib/antpickax' : '/tmp');
    my $path = "$base/$group-$port.chmpx";
    $problem = "ChmShm file($path) does not exist or failed to read file size.";
    open my $file, '<', $path or return;
    my $text = '';
    while (my $line = <$file>) {
        last if $line eq "--end\n";
        $text .= $line;
    }
    my ($pid) = $text =~ /^pid (\d+)$/m;
    my ($started) = $text =~ /^started (\d+)$/m;
    $problem = "ChmShm file($path) has no owner.";
    open my $stat, '<', '/proc/' . ($pid || 0) . '/stat' or return;
    my ($state, @fields) = split ' ', (<$stat> =~ /.*\) (.*)/)[0];
    return if $state eq 'Z' || $state eq 'X' || $fields[18] ne $started;
    return "$text--end\n";
}

1;
