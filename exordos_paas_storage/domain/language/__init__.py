"""AWS's policy language: read, checked and decided, by values alone.

`document.parse` reads a document and `lint.problems` lists all that is wrong with one;
both use the same grammar, so what one refuses the other names. `simulator.decide` says
what a set of documents means for a request, whatever an engine makes of them.
"""
