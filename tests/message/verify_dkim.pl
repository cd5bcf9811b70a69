# What Mail::DKIM thinks of a message on standard input: a line for each of its signatures.
# Usage: perl verify_dkim.pl SELECTOR=RECORD... ; the records stand for DNS, which is never asked.
use strict;
use warnings;
use Mail::DKIM::Verifier;

my %records = map { split /=/, $_, 2 } @ARGV;

{
    no warnings 'redefine';
    *Mail::DKIM::PublicKey::fetch_async = sub {
        my ($class, %asked) = @_;
        my $on_success = ($asked{Callbacks} || {})->{Success} || sub { $_[0] };
        my $record = $records{ $asked{Selector} };
        my $key = defined $record ? $class->parse($record) : undef;
        if ($key) {
            $key->{Selector} = $asked{Selector};
            $key->{Domain} = $asked{Domain};
            $key->check;
        }
        my @answer = $on_success->($key);
        return sub { wantarray ? @answer : $answer[0] };
    };
}

binmode STDIN;
my $verifier = Mail::DKIM::Verifier->new;
local $/;
$verifier->PRINT(scalar <STDIN>);
$verifier->CLOSE;
print join(' ', $_->selector, $_->algorithm, $_->result_detail), "\n" for $verifier->signatures;
